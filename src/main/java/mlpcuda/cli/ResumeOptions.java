package mlpcuda.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import mlpcuda.report.ShellCommand;
import mlpcuda.run.DataSource;
import mlpcuda.run.RunPlan;
import mlpcuda.run.RunSettings;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;

/** The options that may stand beside {@code --resume}, and what they change of a run's plan. */
final class ResumeOptions {
  /** The options that a run may go on with in place of its own, and that later resumptions keep. */
  private static final Set<String> KEPT =
      Set.of(
          "--epochs",
          "--max-steps",
          "--early-stopping",
          "--data",
          "--dataset",
          "--test-at-end",
          "--tensorboard");

  /** The options that hold for one resumption; the checkpoint keeps the device that they choose. */
  private static final Set<String> PASSING =
      Set.of(
          "--resume",
          "--parallel",
          "--cpu",
          "--gpu",
          "--threads",
          "--quiet",
          "--verbose",
          "--json");

  private ResumeOptions() {}

  /** Refuses options that would make the resumed run another run. */
  static void check(ParseResult given) {
    for (ArgSpec argument : given.matchedArgs()) {
      if (argument instanceof OptionSpec option
          && !KEPT.contains(option.longestName())
          && !PASSING.contains(option.longestName())) {
        throw refused(
            given, "--resume goes on with the run's own options, found " + option.longestName());
      }
    }
  }

  /** The plan of a run that goes on with these options in place of some of its own. */
  static RunPlan changed(RunPlan former, RunOptions given) {
    RunSettings settings = former.settings();
    settings =
        settings
            .with(given.course().changed(settings.course()))
            .with(given.validation().changed(settings.validation()))
            .with(given.recording().changed(settings.recording()));
    RunPlan changed =
        former
            .with(settings)
            .with(given.data().changed(former.data()))
            .with(given.device().changed(former.device()));
    return given.recording().tensorboard().map(changed::withEvents).orElse(changed);
  }

  /** The options given that change a run, each as one word, for the record. */
  static List<String> words(ParseResult given) {
    var words = new ArrayList<String>();
    for (OptionSpec option : given.matchedOptions()) {
      String name = option.longestName();
      String value = option.originalStringValues().get(0);
      if (name.equals("--cpu")
          || name.equals("--gpu")
          || name.equals("--threads")
          || KEPT.contains(name)) {
        words.add(option.arity().max() > 0 ? name + "=" + value : name);
      }
    }
    return words;
  }

  /**
   * Refuses to follow a checkpoint out of the run's folder, unless {@code given} names the same
   * kind of place. A checkpoint may come from somebody else, who must not choose what is read,
   * fetched or written on this machine.
   *
   * @param former the plan in the checkpoint
   * @param given the command line that resumes the run
   */
  static void checkPlaces(RunPlan former, Path folder, ParseResult given) {
    boolean dataGiven = given.hasMatchedOption("--data") || given.hasMatchedOption("--dataset");
    if (former.data().source() instanceof DataSource.InMemory && !dataGiven) {
      throw refused(
          given,
          "--resume %s: a program gave this run its examples; name them with --data or --dataset"
              .formatted(folder));
    }
    Map<String, String> missing = placesOutside(former, folder);
    if (dataGiven) {
      missing.keySet().removeAll(Set.of("--data", "--dataset"));
    }
    missing.keySet().removeIf(given::hasMatchedOption);
    if (!missing.isEmpty()) {
      String options = String.join(" ", missing.values());
      throw refused(
          given,
          "--resume %s: its checkpoint has %s, which is outside of that folder; repeat %s if that is meant"
              .formatted(folder, options, missing.size() == 1 ? "the option" : "these options"));
    }
  }

  /**
   * The options that resume a run, as a shell reads them: the run's folder, and the places outside
   * of it that the run uses.
   */
  static String command(RunPlan plan, Path folder) {
    List<String> words = new ArrayList<>(List.of("--resume", ShellCommand.quoted("" + folder)));
    words.addAll(placesOutside(plan, folder).values());
    return String.join(" ", words);
  }

  /**
   * The options that make a run read, fetch or write something outside of its folder, by their
   * names, as a shell reads them.
   */
  private static Map<String, String> placesOutside(RunPlan plan, Path folder) {
    var places = new LinkedHashMap<String, String>();
    DataSource source = plan.data().source();
    if (source instanceof DataSource.Files data && !lies(data.path(), folder)) {
      places.put("--data", "--data " + ShellCommand.quoted(data.path().toString()));
    } else if (source instanceof DataSource.Published published) {
      places.put("--dataset", "--dataset " + published.set().name());
    }
    plan.events()
        .filter(events -> !lies(events, folder))
        .ifPresent(
            events ->
                places.put(
                    "--tensorboard", "--tensorboard " + ShellCommand.quoted(events.toString())));
    return places;
  }

  /**
   * Whether a path lies in a folder when all symbolic links are followed. What does not exist yet
   * lies where the deepest of its folders lies that exists.
   */
  private static boolean lies(Path path, Path folder) {
    try {
      Path existing = path.toAbsolutePath(); // not normalised: x/.. may leave by a link x
      while (!Files.exists(existing, LinkOption.NOFOLLOW_LINKS)) {
        if (existing.endsWith("..")) {
          return false;
        }
        existing = existing.getParent();
      }
      return existing.toRealPath().startsWith(folder.toRealPath());
    } catch (IOException e) { // for example a link that leads nowhere
      return false;
    }
  }

  private static ParameterException refused(ParseResult given, String message) {
    return new ParameterException(given.commandSpec().commandLine(), message);
  }
}
