package mlpcuda.cli;

import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import mlpcuda.compute.Activation;

/**
 * The settings of one of the published programs that this one replaces, or of one that does better.
 * They apply where no option is given.
 *
 * @param hidden the widths of the hidden layers
 * @param output the activation of the output layer
 * @param scaling the name of a {@link mlpcuda.data.Scaling}
 * @param recipe the settings of training
 */
record Preset(
    String name,
    List<Integer> hidden,
    Activation output,
    String scaling,
    int batchSize,
    int testBatchSize,
    int epochs,
    Recipe recipe) {

  /**
   * The settings of how a network learns.
   *
   * @param dropout the rate of each hidden layer
   * @param schedule a schedule that {@link mlpcuda.train.Schedule#parse} reads
   */
  record Recipe(
      double learningRate,
      LearningOptions.OptimizerName optimizer,
      double weightDecay,
      float dropout,
      float smoothing,
      String schedule,
      int warmup) {
    /** The settings that the published programs have in common. */
    static final Recipe PUBLISHED =
        new Recipe(1e-3, LearningOptions.OptimizerName.adam, 0, 0, 0, "constant", 0);

    /** The best settings of a sweep by 10,000 held-back examples: the README has its command. */
    static final Recipe TUNED =
        new Recipe(2e-3, LearningOptions.OptimizerName.adamw, 1e-2, 0.2f, 0, "one-cycle", 0);
  }

  /**
   * The preset's name. picocli asks for this before it reads any option, and a record's own method
   * takes 40 ms the first time.
   */
  @Override
  public String toString() {
    return name;
  }

  static final Preset DEFAULT =
      new Preset(
          "128x64", List.of(128, 64), Activation.NONE, "z-score", 64, 64, 10, Recipe.PUBLISHED);

  static final List<Preset> ALL =
      List.of(
          DEFAULT,
          new Preset(
              "300x300",
              List.of(300, 300),
              Activation.NONE,
              "z-score",
              32,
              1000,
              10,
              Recipe.PUBLISHED),
          new Preset("128", List.of(128), Activation.NONE, "unit", 64, 1000, 3, Recipe.PUBLISHED),
          new Preset(
              "128x64-centred",
              List.of(128, 64),
              Activation.NONE,
              "centred",
              64,
              64,
              20,
              Recipe.PUBLISHED),
          new Preset(
              "128x64x32-relu-out",
              List.of(128, 64, 32),
              Activation.RELU,
              "unit",
              64,
              1000,
              10,
              Recipe.PUBLISHED),
          new Preset(
              "tuned", List.of(512, 256), Activation.NONE, "unit", 128, 1000, 20, Recipe.TUNED));

  /** The preset of that name, or IllegalArgumentException. */
  static Preset named(String name) {
    return ALL.stream()
        .filter(preset -> preset.name.equals(name))
        .findFirst()
        .orElseThrow(
            () -> {
              List<String> names = ALL.stream().map(Preset::name).toList();
              return new IllegalArgumentException(
                  "must be one of %s, found %s%s"
                      .formatted(
                          String.join(", ", names),
                          name.isEmpty() ? "nothing" : name,
                          Suggestion.of(name, names)));
            });
  }

  /**
   * Parses widths from a comma-separated list: {@code 128,64}; {@code none} for no hidden layer.
   */
  static List<Integer> widths(String list) {
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
