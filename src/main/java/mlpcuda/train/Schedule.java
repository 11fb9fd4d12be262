package mlpcuda.train;

import mlpcuda.files.OneLine;

/**
 * The course of the learning rate in a run: a factor of the base rate as a function of the step
 * alone, so that a run that goes on from a checkpoint meets the same rates. The names and formulas
 * are those of {@code torch.optim.lr_scheduler}.
 */
public sealed interface Schedule {
  /** A constant rate: the base rate all along. */
  record Constant() implements Schedule {
    @Override
    public double factor(int step, int stepsPerEpoch, int totalSteps) {
      return 1;
    }

    @Override
    public String toString() {
      return "constant";
    }
  }

  /**
   * StepLR: the rate is multiplied by {@code gamma} every {@code epochs} epochs.
   *
   * @param epochs the number of epochs, at least 1
   * @param gamma the factor, above 0, at most 1
   */
  record StepLr(int epochs, double gamma) implements Schedule {
    @Override
    public double factor(int step, int stepsPerEpoch, int totalSteps) {
      return StrictMath.pow(gamma, step / stepsPerEpoch / epochs);
    }

    @Override
    public String toString() {
      return "step:" + epochs + ":" + gamma;
    }
  }

  /**
   * ExponentialLR: the rate is multiplied by {@code gamma} after each epoch.
   *
   * @param gamma the factor, above 0, at most 1
   */
  record ExponentialLr(double gamma) implements Schedule {
    @Override
    public double factor(int step, int stepsPerEpoch, int totalSteps) {
      return StrictMath.pow(gamma, step / stepsPerEpoch);
    }

    @Override
    public String toString() {
      return "exponential:" + gamma;
    }
  }

  /**
   * CosineAnnealingLR, advanced after each step, with T_max the run's steps and eta_min 0: half a
   * cosine from 1 at the first step towards 0, which the step after the last would have.
   */
  record CosineAnnealing() implements Schedule {
    @Override
    public double factor(int step, int stepsPerEpoch, int totalSteps) {
      return between(1, 0, (double) step / totalSteps);
    }

    @Override
    public boolean spansTheRun() {
      return true;
    }

    @Override
    public String toString() {
      return "cosine";
    }
  }

  /**
   * OneCycleLR, advanced after each step, with PyTorch's defaults: from 1/25 up to 1 over the first
   * three tenths of the run, then down to 1/250,000 at its last step, both along half a cosine. It
   * moves the rate alone: cycle_momentum is false.
   */
  record OneCycle() implements Schedule {
    private static final double UP = 0.3; // pct_start
    private static final double FIRST = 1.0 / 25; // 1 / div_factor
    private static final double LAST = FIRST / 1e4; // 1 / final_div_factor

    @Override
    public double factor(int step, int stepsPerEpoch, int totalSteps) {
      // As in PyTorch the peak may lie between two steps, and in runs of fewer than 4 steps before
      // the first.
      double peak = UP * totalSteps - 1;
      return step <= peak
          ? between(FIRST, 1, step / peak)
          : between(1, LAST, (step - peak) / (totalSteps - 1 - peak));
    }

    @Override
    public boolean spansTheRun() {
      return true;
    }

    @Override
    public String toString() {
      return "one-cycle";
    }
  }

  /**
   * ReduceLROnPlateau: the rate is multiplied by {@code factor} when the loss has not fallen for
   * more than {@code patience} epochs. The step does not tell when that is: a {@link Plateau} does.
   *
   * @param factor the factor, above 0, at most 1
   * @param patience the number of epochs, at least 0
   */
  record ReduceOnPlateau(double factor, int patience) implements Schedule {
    @Override
    public double factor(int step, int stepsPerEpoch, int totalSteps) {
      return 1;
    }

    @Override
    public String toString() {
      return "plateau:" + factor + ":" + patience;
    }
  }

  /**
   * The factor of the base rate at {@code step}, which is counted from 0 from the run's beginning,
   * without warm-up.
   */
  double factor(int step, int stepsPerEpoch, int totalSteps);

  /**
   * Whether the factors depend on the length of the whole run, so that a run which is made longer
   * goes on with other factors.
   */
  default boolean spansTheRun() {
    return false;
  }

  /** The text from which {@link #parse} makes this schedule. */
  @Override
  String toString();

  /**
   * The learning rates of {@code count} steps, computed in double precision and rounded once.
   *
   * @param base the learning rate that is multiplied
   * @param firstStep the first one's number, from 0 from the run's beginning
   * @param stepsPerEpoch the number of steps of a whole epoch
   * @param totalSteps the number of steps of the whole run, with those before a checkpoint
   * @param warmup linear warm-up: the n-th step of the run, from 1, has at most n / {@code warmup}
   *     of its rate; 0 for none
   * @param plateauFactor the {@link Plateau#factor} of this epoch; 1 where there is none
   * @throws IllegalArgumentException if the steps are not steps of the run
   */
  default float[] rates(
      double base,
      int firstStep,
      int count,
      int stepsPerEpoch,
      int totalSteps,
      int warmup,
      double plateauFactor) {
    if (firstStep < 0 || count < 0 || count > totalSteps - firstStep) {
      throw new IllegalArgumentException(
          "steps must lie in the run's %d, found %d from %d on"
              .formatted(totalSteps, count, firstStep));
    }
    float[] rates = new float[count];
    for (int i = 0; i < count; i++) {
      int step = firstStep + i;
      double warm = step < warmup ? (step + 1.0) / warmup : 1;
      rates[i] = (float) (base * factor(step, stepsPerEpoch, totalSteps) * plateauFactor * warm);
    }
    return rates;
  }

  /**
   * The schedule of a text of the command line, such as {@code step:10:0.1}.
   *
   * @throws IllegalArgumentException if the text is no schedule, with the rule and what was found
   *     instead
   */
  static Schedule parse(String text) {
    String[] parts = text.split(":", -1);
    String form = parts[0] + "/" + (parts.length - 1);
    return switch (form) {
      case "constant/0" -> new Constant();
      case "step/2" -> new StepLr(whole("EPOCHS", parts[1], 1), factor("GAMMA", parts[2]));
      case "exponential/1" -> new ExponentialLr(factor("GAMMA", parts[1]));
      case "cosine/0" -> new CosineAnnealing();
      case "one-cycle/0" -> new OneCycle();
      case "plateau/2" ->
          new ReduceOnPlateau(factor("FACTOR", parts[1]), whole("PATIENCE", parts[2], 0));
      default ->
          throw new IllegalArgumentException(
              "must be constant, step:EPOCHS:GAMMA, exponential:GAMMA, cosine, one-cycle or"
                  + " plateau:FACTOR:PATIENCE, found "
                  + OneLine.orNothing(text));
    };
  }

  private static int whole(String name, String text, int least) {
    try {
      int number = Integer.parseInt(text);
      if (number >= least) {
        return number;
      }
    } catch (NumberFormatException e) {
      // refused below, like a number that is too small
    }
    throw new IllegalArgumentException(
        "%s must be a whole number from %d to %d, found %s"
            .formatted(name, least, Integer.MAX_VALUE, OneLine.orNothing(text)));
  }

  private static double factor(String name, String text) {
    try {
      double number = Double.parseDouble(text);
      if (number > 0 && number <= 1) {
        return number;
      }
    } catch (NumberFormatException e) {
      // refused below, like a number that is no such factor
    }
    throw new IllegalArgumentException(
        "%s must be a number above 0 and at most 1, found %s"
            .formatted(name, OneLine.orNothing(text)));
  }

  /**
   * Half a cosine from {@code from} at 0 to {@code to} at 1. StrictMath, here and above, gives the
   * same rates on every machine.
   */
  private static double between(double from, double to, double at) {
    return to + (from - to) / 2 * (1 + StrictMath.cos(StrictMath.PI * at));
  }
}
