package mlpcuda.benchmark;

import java.util.Arrays;
import java.util.function.IntConsumer;

/**
 * Seconds of one piece of work, over several repeats.
 *
 * @param median of the repeats
 * @param min the fastest repeat
 * @param max the slowest repeat
 */
public record Timing(double median, double min, double max) {
  /**
   * How long to measure.
   *
   * @param warmUp seconds of work that do not count, at least
   * @param seconds of each repeat, at least
   */
  public record Plan(double warmUp, double seconds, int repeats) {}

  /**
   * Times a piece of work.
   *
   * @param work does so many pieces and waits for them
   */
  public static Timing of(Plan plan, IntConsumer work) {
    long begin = System.nanoTime();
    int pieces = 1;
    double last; // seconds of the last `pieces` pieces
    do { // more and more, until a repeat is long enough: this warms up, too
      long start = System.nanoTime();
      work.accept(pieces);
      last = (System.nanoTime() - start) / 1e9;
      if (last < plan.seconds) {
        pieces = (int) Math.min(2.0 * pieces, Math.ceil(1.2 * pieces * plan.seconds / last));
      }
    } while (last < plan.seconds || (System.nanoTime() - begin) / 1e9 < plan.warmUp);
    double[] times = new double[plan.repeats];
    for (int i = 0; i < times.length; i++) {
      long start = System.nanoTime();
      work.accept(pieces);
      times[i] = (System.nanoTime() - start) / 1e9 / pieces;
    }
    Arrays.sort(times);
    return new Timing(times[times.length / 2], times[0], times[times.length - 1]);
  }
}
