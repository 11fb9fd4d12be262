package mlpcuda.run;

import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import mlpcuda.compute.Activation;
import mlpcuda.compute.AdamSettings;
import mlpcuda.compute.Distortion;
import mlpcuda.compute.OptimizerSettings;
import mlpcuda.net.Augmentation;
import mlpcuda.run.RunSettings.Architecture;
import mlpcuda.run.RunSettings.Learning;
import mlpcuda.run.RunSettings.Recording;
import mlpcuda.run.RunSettings.Validation;
import mlpcuda.train.Course;
import mlpcuda.train.LearningRate;
import mlpcuda.train.Schedule;

/** The settings of the published programs that this one replaces, and of one that does better. */
public final class Presets {
  private static final LearningRate PUBLISHED_RATE =
      new LearningRate(1e-3, new Schedule.Constant(), 0);

  /** What the published programs have in common. */
  private static final Learning PUBLISHED = learning(AdamSettings.DEFAULT, 0);

  /** The distortion of the presets that learn from distorted images. */
  private static final Distortion DISTORTION =
      Distortion.parse("elastic:37:5.5,rotate:12,scale:15,shear:10,translate:1");

  /** The settings that apply where nothing is chosen. */
  public static final RunSettings DEFAULT =
      published("128x64", network("z-score", 128, 64), 64, 64, 10);

  /**
   * All presets; {@code tuned}, {@code distorted} and {@code record} were chosen by sweeps judged
   * by 10,000 held-back examples.
   */
  public static final List<RunSettings> ALL =
      List.of(
          DEFAULT,
          published("300x300", network("z-score", 300, 300), 32, 1000, 10),
          published("128", network("unit", 128), 64, 1000, 3),
          published("128x64-centred", network("centred", 128, 64), 64, 64, 20),
          published(
              "128x64x32-relu-out",
              network(Activation.RELU, "unit", List.of(128, 64, 32)),
              64,
              1000,
              10),
          new RunSettings(
              "tuned",
              network("unit", 512, 256),
              new LearningRate(2e-3, Schedule.parse("one-cycle"), 0),
              learning(new AdamSettings(0.9, 0.999, 1e-8, 1e-2, true), 0.2f),
              new Course(20, Course.NO_LIMIT, 128, true),
              Validation.NONE,
              Recording.of(1000),
              1),
          distorted("distorted", 80, 1000, 500),
          distorted("record", 150, 2500, 2000, 1500, 1000, 500));

  private Presets() {}

  private static RunSettings published(
      String name, Architecture network, int batchSize, int testBatchSize, int epochs) {
    return new RunSettings(
        name,
        network,
        PUBLISHED_RATE,
        PUBLISHED,
        new Course(epochs, Course.NO_LIMIT, batchSize, true),
        Validation.NONE,
        Recording.of(testBatchSize),
        1);
  }

  /** A network that learns from distorted images, with the widths of Cireşan et al. (2010). */
  private static RunSettings distorted(String name, int epochs, Integer... hidden) {
    Learning plain = learning(new AdamSettings(0.9, 0.999, 1e-8, 1e-2, true), 0);
    return new RunSettings(
        name,
        network("unit", hidden),
        new LearningRate(2e-3, Schedule.parse("one-cycle"), 0),
        plain.with(Optional.of(Augmentation.constant(DISTORTION))),
        new Course(epochs, Course.NO_LIMIT, 256, true),
        Validation.NONE,
        Recording.of(1000),
        1);
  }

  private static Architecture network(String scaling, Integer... hidden) {
    return network(Activation.NONE, scaling, List.of(hidden));
  }

  private static Architecture network(Activation output, String scaling, List<Integer> hidden) {
    return new Architecture(
        hidden, Activation.RELU, output, scaling, Optional.empty(), Optional.empty());
  }

  private static Learning learning(OptimizerSettings optimizer, float dropout) {
    return new Learning(
        optimizer,
        OptionalDouble.empty(),
        List.of(dropout),
        0,
        Optional.empty(),
        Optional.empty(),
        OptionalDouble.empty());
  }

  /** The names of all presets. */
  public static List<String> names() {
    return ALL.stream().map(RunSettings::preset).toList();
  }

  /**
   * The preset of that name.
   *
   * @throws IllegalArgumentException if there is none, with the names there are
   */
  public static RunSettings named(String name) {
    return ALL.stream()
        .filter(preset -> preset.preset().equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "must be one of %s, found %s"
                        .formatted(String.join(", ", names()), name.isEmpty() ? "nothing" : name)));
  }

  /**
   * Parses widths from a comma-separated list: {@code 128,64}; {@code none} for no hidden layer.
   *
   * @throws IllegalArgumentException if the text is anything else
   */
  public static List<Integer> widths(String list) {
    if (list.equals("none")) {
      return List.of();
    }
    try {
      List<Integer> widths =
          Arrays.stream(list.split(",", -1)).map(String::trim).map(Integer::valueOf).toList();
      if (Collections.min(widths) > 0) {
        return widths;
      }
    } catch (NumberFormatException e) {
      // refused below, like a width that is not positive
    }
    throw new IllegalArgumentException(
        "must be whole numbers from 1 to %d joined by commas, or none; found %s"
            .formatted(Integer.MAX_VALUE, list.isEmpty() ? "nothing" : list));
  }
}
