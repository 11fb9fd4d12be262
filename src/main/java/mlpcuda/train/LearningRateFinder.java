package mlpcuda.train;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.function.DoubleUnaryOperator;

/**
 * The learning-rate range test (Smith, "Cyclical learning rates for training neural networks",
 * 2017): train at a rate that grows exponentially, and look where the loss falls fastest and where
 * it explodes. Growth, smoothing and end are those of fastai's {@code lr_find}, the suggestion its
 * {@code steep}, but only before the lowest loss.
 *
 * <p>The network is trained while it is tested: afterwards it is of no more use.
 */
public final class LearningRateFinder {
  private static final double BETA = 0.98; // the decay of the losses' moving average
  private static final double EXPLODED = 4; // times the lowest smoothed loss

  private LearningRateFinder() {}

  /**
   * The rates that are tried.
   *
   * @param low the first step's rate, above 0
   * @param high the last step's rate, above {@code low}
   * @param steps the number of steps, at least 2
   */
  public record Settings(double low, double high, int steps) {
    /** Checks the rules above. */
    public Settings {
      if (!(low > 0 && high > low && high < Double.POSITIVE_INFINITY)) {
        throw new IllegalArgumentException(
            "rates must grow from above 0 to a finite one, found %s to %s".formatted(low, high));
      }
      if (steps < 2) {
        throw new IllegalArgumentException("steps must be from 2 on, found " + steps);
      }
    }

    /** The rate of step {@code i}, from 0. */
    double rate(int i) {
      return low * StrictMath.pow(high / low, i / (steps - 1.0));
    }
  }

  /**
   * A step of the test that was done.
   *
   * @param loss the batch's mean loss, before the update at {@code rate}
   * @param smoothed exponential moving average of the losses up to this one, bias-corrected
   */
  public record Point(double rate, double loss, double smoothed) {}

  /**
   * The result of a test.
   *
   * @param curve the steps done, in order
   * @param suggestion the rate of the update after which the smoothed loss fell most on its way to
   *     its lowest; the first tenth of the steps is left out, where the average is of too few.
   *     Empty where the loss does not fall from there
   */
  public record Result(List<Point> curve, OptionalDouble suggestion) {}

  /**
   * Tries the rates, until the smoothed loss exceeds 4 times its lowest value so far or a loss is
   * not finite, which then is not on the curve.
   *
   * @param step trains one step at the rate it is given and returns its batch's mean loss
   */
  public static Result run(Settings settings, DoubleUnaryOperator step) {
    List<Point> curve = new ArrayList<>();
    double smoothed = 0;
    double lowest = Double.POSITIVE_INFINITY;
    for (int i = 0; i < settings.steps && smoothed <= EXPLODED * lowest; i++) {
      double rate = settings.rate(i);
      double loss = step.applyAsDouble(rate);
      if (!Double.isFinite(loss)) {
        break;
      }
      // Moves the bias-corrected average itself, by the newest loss's share of all weights so far.
      smoothed += (loss - smoothed) * (1 - BETA) / (1 - StrictMath.pow(BETA, i + 1));
      lowest = Math.min(lowest, smoothed);
      curve.add(new Point(rate, loss, smoothed));
    }
    return new Result(List.copyOf(curve), steepest(curve, settings.steps / 10));
  }

  private static OptionalDouble steepest(List<Point> curve, int first) {
    OptionalDouble rate = OptionalDouble.empty();
    // Beyond the lowest loss, where training has come apart, losses jump, and some jump down.
    int lowest = first;
    for (int i = first; i < curve.size(); i++) {
      if (curve.get(i).smoothed < curve.get(lowest).smoothed) {
        lowest = i;
      }
    }
    // The rates' logarithms are evenly spaced, so that differences of losses are slopes.
    double most = 0;
    for (int i = first; i < lowest; i++) {
      double fall = curve.get(i).smoothed - curve.get(i + 1).smoothed;
      if (fall > most) {
        most = fall;
        rate = OptionalDouble.of(curve.get(i).rate);
      }
    }
    return rate;
  }
}
