package mlpcuda.benchmark;

import java.util.Arrays;
import java.util.function.IntConsumer;
import java.util.function.LongSupplier;

/**
 * The time of one piece of work, in seconds, over several repeats.
 *
 * @param median the median of the repeats
 * @param min the fastest repeat
 * @param max the slowest repeat
 * @param repeats the number of repeats
 */
public record Timing(double median, double min, double max, int repeats) {
  /**
   * The plan of a measurement.
   *
   * @param warmUp the least seconds of work that do not count
   * @param seconds the least seconds of each repeat
   * @param repeats the most repeats
   * @param most the seconds of all repeats after which no further one begins
   */
  public record Plan(double warmUp, double seconds, int repeats, double most) {
    /** A plan without a limit on the time of all repeats. */
    public Plan(double warmUp, double seconds, int repeats) {
      this(warmUp, seconds, repeats, Double.POSITIVE_INFINITY);
    }

    /** A plan like this one with another time of work that does not count. */
    Plan withWarmUp(double seconds) {
      return new Plan(seconds, this.seconds, repeats, most);
    }
  }

  /**
   * Times a piece of work, as often in each repeat as makes it long enough.
   *
   * @param work does the given number of pieces and waits for them
   */
  public static Timing of(Plan plan, IntConsumer work) {
    return of(plan, work, System::nanoTime);
  }

  /** Times a piece of work with another clock, of nanoseconds. */
  static Timing of(Plan plan, IntConsumer work, LongSupplier clock) {
    long begin = clock.getAsLong();
    int pieces = 1;
    double last; // seconds of the last `pieces` pieces
    do { // more and more, until a repeat is long enough: this warms up, too
      last = seconds(work, pieces, clock);
      if (last < plan.seconds) {
        pieces = (int) Math.min(2.0 * pieces, Math.ceil(1.2 * pieces * plan.seconds / last));
      }
    } while (last < plan.seconds || (clock.getAsLong() - begin) * 1e-9 < plan.warmUp);
    double[] repeats = new double[plan.repeats];
    int done = 0;
    begin = clock.getAsLong();
    do {
      repeats[done++] = seconds(work, pieces, clock) / pieces;
    } while (done < plan.repeats && (clock.getAsLong() - begin) * 1e-9 < plan.most);
    return of(Arrays.copyOf(repeats, done));
  }

  /** The timing of those repeats, at least one. */
  static Timing of(double... seconds) {
    double[] sorted = seconds.clone();
    Arrays.sort(sorted);
    int n = sorted.length;
    return new Timing((sorted[(n - 1) / 2] + sorted[n / 2]) / 2, sorted[0], sorted[n - 1], n);
  }

  /** The time of one of {@code parts} equal parts of this work. */
  Timing each(int parts) {
    return new Timing(median / parts, min / parts, max / parts, repeats);
  }

  private static double seconds(IntConsumer work, int pieces, LongSupplier clock) {
    long start = clock.getAsLong();
    work.accept(pieces);
    return (clock.getAsLong() - start) * 1e-9;
  }
}
