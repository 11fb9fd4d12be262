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
import java.util.zip.CRC32C;
import mlpcuda.compute.Precision;
import mlpcuda.data.ImageSet;
import mlpcuda.error.BadFileException;
import mlpcuda.model.Checkpoint;
import mlpcuda.net.MlpShape;
import mlpcuda.train.Progress;
import mlpcuda.train.Trainer;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;

/**
 * A run that goes on from its checkpoint, with the changes of a command line.
 *
 * @param folder the folder of the run
 * @param checkpoint the checkpoint as it was read
 * @param state the position of the run, and the arguments that it goes on with
 * @param changed whether the state differs from the checkpoint's, so that it must be written anew
 */
record Resumption(Path folder, Checkpoint checkpoint, RunState state, boolean changed) {
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

  /**
   * The options of one resumption alone; of those of the device the checkpoint keeps the outcome.
   */
  private static final Set<String> PASSING =
      Set.of("--resume", "--cpu", "--gpu", "--threads", "--quiet", "--verbose", "--json");

  /** The options that make a run read, fetch or write something beside its folder. */
  private static final List<String> REACHING_OUT = List.of("--data", "--dataset", "--tensorboard");

  /** The words of a command line that must be repeated to resume its run from anywhere. */
  static List<String> reachingOut(List<String> args) {
    var words = new ArrayList<String>();
    for (int i = 0; i < args.size(); i++) {
      String word = args.get(i);
      if (REACHING_OUT.contains(word)) {
        words.addAll(args.subList(i, i + 2)); // the option and its value
      } else if (REACHING_OUT.stream().anyMatch(name -> word.startsWith(name + "="))) {
        words.add(word);
      }
    }
    return words;
  }

  /** Refuses options that would make it another run. */
  static void check(ParseResult given) {
    for (ArgSpec argument : given.matchedArgs()) {
      if (argument instanceof OptionSpec option
          && !KEPT.contains(option.longestName())
          && !PASSING.contains(option.longestName())) {
        throw new ParameterException(
            given.commandSpec().commandLine(),
            "--resume goes on with the run's own options, found " + option.longestName());
      }
    }
  }

  /** Reads the run of that folder, with nothing changed. */
  static Resumption read(Path folder) {
    Path file = folder.resolve(RunFolder.CHECKPOINT);
    Checkpoint checkpoint = Checkpoint.read(file);
    RunState state = RunState.parse(checkpoint.state(), checkpoint.best(), file);
    return new Resumption(folder, checkpoint, state, false);
  }

  /** The checkpoint's file. */
  Path file() {
    return folder.resolve(RunFolder.CHECKPOINT);
  }

  /**
   * Moves the run to the device that {@code device} asks for; otherwise it stays on its own.
   *
   * @param device the options of the command line that resumes the run
   */
  Resumption on(DeviceOptions device) {
    int gpu = device.gpuOr(state.gpu());
    boolean moves = state.gpu() >= 0 && gpu < 0; // that machine's threads say nothing of this one's
    int threads = moves ? device.threadCount() : device.threadsOr(state.threads());
    boolean same = gpu == state.gpu() && threads == state.threads();
    return same ? this : new Resumption(folder, checkpoint, state.on(gpu, threads), true);
  }

  /**
   * Changes the run's options to those that {@code given} has in place of the options it began
   * with.
   */
  Resumption with(ParseResult begun, ParseResult given) {
    Map<String, String> options = words(begun);
    Map<String, String> changes = words(given);
    changes.keySet().retainAll(KEPT);
    if (options.entrySet().containsAll(changes.entrySet())) {
      return this;
    }
    if (changes.containsKey("--data")) {
      options.remove("--dataset");
    }
    if (changes.containsKey("--dataset")) {
      options.remove("--data");
      options.remove("--classes");
    }
    options.putAll(changes);
    var args = new ArrayList<>(List.of("train"));
    args.addAll(options.values());
    return new Resumption(folder, checkpoint, state.with(args), true);
  }

  /**
   * Refuses to follow a checkpoint out of the run's folder, unless {@code given} names the same
   * kind of place. A checkpoint may come from somebody else, who must not choose what is read,
   * fetched or written on this machine.
   *
   * @param begun the command line in the checkpoint
   * @param given the command line that resumes the run
   */
  void checkPlaces(ParseResult begun, ParseResult given) {
    Map<String, String> missing = placesOutside(begun, folder);
    if (given.hasMatchedOption("--data") || given.hasMatchedOption("--dataset")) {
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
   * The options that resume the run of a command line, as a shell reads them: its folder, and again
   * what lies outside of that.
   */
  static String command(ParseResult begun, Path folder) {
    List<String> words = new ArrayList<>(List.of("--resume", ShellCommand.quoted("" + folder)));
    words.addAll(placesOutside(begun, folder).values());
    return String.join(" ", words);
  }

  /** The options of {@link #REACHING_OUT} that a command line has, as a shell reads them. */
  private static Map<String, String> placesOutside(ParseResult begun, Path folder) {
    var places = new LinkedHashMap<String, String>();
    for (String name : REACHING_OUT) {
      if (begun.hasMatchedOption(name)) {
        String value = begun.matchedOption(name).originalStringValues().get(0);
        if (name.equals("--dataset") || !lies(Path.of(value), folder)) {
          places.put(name, name + " " + ShellCommand.quoted(value));
        }
      }
    }
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

  /** The options of a command line that are set, each as one word, by their names. */
  private static Map<String, String> words(ParseResult line) {
    var words = new LinkedHashMap<String, String>();
    for (OptionSpec option : line.matchedOptions()) {
      String name = option.longestName();
      String value = option.originalStringValues().get(0);
      if (option.arity().max() > 0) {
        words.put(name, name + "=" + value);
      } else if (value.equals("true")) { // a flag, whose value picocli fills in
        words.put(name, name);
      }
    }
    return words;
  }

  /** Refuses an end before the run's position. */
  void checkEnd(int epochs, int maxSteps, ParseResult given) {
    Progress at = state.progress();
    int least = at.batch() > 0 ? at.epoch() : at.epoch() - 1;
    if (given.hasMatchedOption("--epochs") && epochs < least) {
      throw refused(
          given,
          "the run in %s has %s already: --epochs must be at least %d, found %d"
              .formatted(
                  folder,
                  at.batch() > 0 ? "begun epoch " + least : "done " + Tables.count(least, "epoch"),
                  least,
                  epochs));
    }
    if (given.hasMatchedOption("--max-steps") && maxSteps < at.steps()) {
      throw refused(
          given,
          "the run in %s has done %s already: --max-steps must be at least as many, found %d"
              .formatted(folder, Tables.count(at.steps(), "step"), maxSteps));
    }
  }

  private static ParameterException refused(ParseResult given, String message) {
    return new ParameterException(given.commandSpec().commandLine(), message);
  }

  /** Refuses to go on with examples other than the run's. */
  void checkExamples(ImageSet all) {
    if (checksum(all) != state.examples()
        || all.rows() != checkpoint.form().rows()
        || all.cols() != checkpoint.form().cols()) {
      throw bad("the training examples must be those that the run began with, found others");
    }
  }

  /** Refuses to go on with a network other than the run's. */
  void checkShape(MlpShape shape) {
    if (!shape.equals(checkpoint.shape())) {
      throw bad(
          "its network must be that of its arguments and data, %s, found %s"
              .formatted(shape, checkpoint.shape()));
    }
  }

  /**
   * Refuses a position that the run cannot have.
   *
   * @param batches the number of batches of an epoch
   * @param maxSteps the most steps by its arguments: where that ended the run, an epoch may have
   *     been cut short
   */
  void checkPlace(int batches, int maxSteps) {
    Progress at = state.progress();
    boolean mayBeCut = maxSteps < Integer.MAX_VALUE && at.steps() <= maxSteps;
    if (at.batch() >= batches || missing(batches) != 0 && !(mayBeCut && missing(batches) > 0)) {
      throw bad(
          "its place must be one of the run's, of %d batches an epoch, found epoch %d, batch %d, step %d"
              .formatted(batches, at.epoch(), at.batch(), at.steps()));
    }
  }

  /**
   * Sentences on why the run may end otherwise than one that was never ended.
   *
   * @param device the device that the run goes on with, in words
   * @param stretched whether the run goes on to another end than it had
   * @param batches the number of batches of an epoch
   */
  List<String> differences(
      String device, boolean stretched, Trainer.Settings settings, int batches) {
    var differences = new ArrayList<String>();
    if (!device.equals(state.device())) { // for example another GPU, or cuBLAS is gone
      differences.add(
          "The run began on another device, so its numbers and the bytes of its model may differ: "
              + state.device());
    }
    if (!stretched || settings.ended(state.progress())) {
      return differences;
    }
    if (settings.schedule().spansTheRun()) {
      differences.add(
          "The schedule %s spans the whole run: from here on it is stretched to the new length, and a"
                  .formatted(settings.schedule())
              + " run that begins with this length ends with another model");
    }
    if (missing(batches) > 0) {
      differences.add(
          "--max-steps ended an epoch early, by %s: the run goes on with the next epoch"
              .formatted(Tables.count(missing(batches), "step")));
    }
    return differences;
  }

  /** The number of steps by which the epochs before this one were cut short. */
  private long missing(int batches) {
    Progress at = state.progress();
    return (at.epoch() - 1L) * batches + at.batch() - at.steps();
  }

  /** Refuses to go on without the loss scale that the precision needs, or with a needless one. */
  void checkLossScale(Precision precision) {
    boolean has = state.progress().lossScale().length > 0;
    if (has != precision.needsLossScale()) {
      throw bad(
          "its loss scale must be %s, found %s"
              .formatted(
                  has
                      ? "of --precision fp16 alone"
                      : "there, as --precision " + precision.label() + " needs one",
                  has ? "one with " + precision.label() : "none"));
    }
  }

  private BadFileException bad(String message) {
    return new BadFileException(file() + ": " + message);
  }

  /**
   * The checksum of images and labels, with those held back, as they may tell when to end: a run
   * cannot go on with other examples.
   */
  static long checksum(ImageSet set) {
    var crc = new CRC32C();
    crc.update(set.pixels());
    crc.update(set.labels());
    return crc.getValue();
  }
}
