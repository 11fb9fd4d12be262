package mlpcuda.run;

import com.fasterxml.jackson.jr.ob.JSON;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import mlpcuda.error.BadFileException;
import mlpcuda.error.SettingException;
import mlpcuda.files.WholeFile;
import mlpcuda.model.Committee;
import mlpcuda.preparation.InkWidth;

/**
 * All that the training of a committee is to do. Its folder keeps it as JSON, from which the
 * training goes on; each member's folder has the member's own checkpoint.
 *
 * @param base what the members have in common, with the seed of the first
 * @param members the number of members
 * @param widths the widths of the ink; the members have them in turn
 * @param command the words of the command line; empty if a program called the library
 */
public record CommitteePlan(
    RunPlan base, int members, List<InkWidth> widths, List<String> command) {
  /** The file in the committee's folder. */
  public static final String FILE = "committee.json";

  private static final int VERSION = 1;

  /**
   * Checks the numbers, and copies the lists.
   *
   * @throws SettingException if there are too few or too many members or widths
   */
  public CommitteePlan {
    widths = widths.isEmpty() ? List.of(InkWidth.AS_IS) : List.copyOf(widths);
    command = List.copyOf(command);
    if (members < 2 || members > Committee.MOST) {
      throw new SettingException(
          "members", "must be from 2 to %d, found %d".formatted(Committee.MOST, members));
    }
    if (widths.size() > members) {
      throw new SettingException(
          "member-widths",
          "must be at most as many as the %d members, found %d".formatted(members, widths.size()));
    }
    if (base.settings().network().init().isPresent()) {
      throw new SettingException(
          "init",
          "must not be given for a committee, whose members begin with weights of their own");
    }
    if (base.settings().recording().importance()) {
      throw new SettingException("importance", "must not be asked for of a committee");
    }
  }

  /** The width of a member's ink, counted from 0. */
  public InkWidth width(int member) {
    return widths.get(member % widths.size());
  }

  /** The name of a member, counted from 0, and of its folder. */
  public static String name(int member) {
    return "member-" + (member + 1);
  }

  /** The plan of a member's run, counted from 0. */
  public RunPlan member(int member) {
    long seed = base.settings().seed();
    RunPlan plan =
        base.with(base.settings().withSeed(seed + member))
            .with(base.data().forMember(width(member), seed));
    return base.events().map(to -> plan.withEvents(to.resolve(name(member)))).orElse(plan);
  }

  /** A copy with other settings of the members. */
  public CommitteePlan with(RunPlan other) {
    return new CommitteePlan(other, members, widths, command);
  }

  /** Whether a folder holds a committee that can be resumed. */
  public static boolean isIn(Path folder) {
    return Files.exists(folder.resolve(FILE), LinkOption.NOFOLLOW_LINKS);
  }

  /** Writes the plan into the committee's folder. */
  void write(Path folder) {
    var json = new LinkedHashMap<String, Object>();
    json.put("version", VERSION);
    json.put("members", members);
    json.put("ink_widths", InkWidth.labels(widths));
    json.put("command", command);
    json.putAll(PlanJson.write(base));
    WholeFile.write(
        folder.resolve(FILE),
        out ->
            out.write(
                JSON.std
                    .with(JSON.Feature.WRITE_NULL_PROPERTIES, JSON.Feature.PRETTY_PRINT_OUTPUT)
                    .asBytes(json)));
  }

  /**
   * Reads the plan of the committee in a folder.
   *
   * @throws BadFileException if the file is missing or malformed
   */
  public static CommitteePlan read(Path folder) {
    Path file = folder.resolve(FILE);
    try {
      Map<String, Object> found = JSON.std.mapFrom(Files.readAllBytes(file));
      var json = new Fields(found == null ? Map.of() : found);
      if (json.whole("version", 1) != VERSION) {
        throw new BadFileException(
            "%s: it must be of version %d, found version %d; a newer mlp-cuda reads it"
                .formatted(file, VERSION, json.whole("version", 1)));
      }
      return new CommitteePlan(
          PlanJson.read(json),
          json.whole("members", 1),
          InkWidth.parseAll(json.text("ink_widths")),
          json.list("command", String.class));
    } catch (IOException | IllegalArgumentException e) {
      throw new BadFileException(
          file + ": it must be what training a committee writes, found something else", e);
    }
  }
}
