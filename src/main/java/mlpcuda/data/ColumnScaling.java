package mlpcuda.data;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import mlpcuda.features.Features;

/**
 * A map of each column of floats of its own: input i is (vᵢ − centreᵢ) · factorᵢ, in single
 * precision and with the subtraction first, so that large numbers of small spread, such as years,
 * keep their digits.
 *
 * @param name {@code standard}, {@code minmax} or {@code none}
 * @param centre (I), the number that is subtracted from each column
 * @param factor (I), the number by which the difference is multiplied
 */
public record ColumnScaling(String name, float[] centre, float[] factor) implements Scaling {
  /** The names that {@link #of} accepts. */
  public static final List<String> NAMES = List.of("standard", "minmax", "none");

  /** The rows that one task reads. */
  private static final int TASK = 4096;

  /**
   * Checks the numbers.
   *
   * @throws IllegalArgumentException if the arrays differ in length, or a number is not finite
   */
  public ColumnScaling {
    if (centre.length != factor.length) {
      throw new IllegalArgumentException(
          "centre and factor must have one number for each column, found %d and %d"
              .formatted(centre.length, factor.length));
    }
    for (int i = 0; i < centre.length; i++) {
      if (!Float.isFinite(centre[i]) || !Float.isFinite(factor[i])) {
        throw new IllegalArgumentException(
            "centre and factor must be finite, found %s and %s for column %d"
                .formatted(centre[i], factor[i], i + 1));
      }
    }
  }

  /**
   * Returns the scaling of the given name: {@code standard} to mean 0 and population standard
   * deviation 1 of each column of the training set, {@code minmax} to [0, 1], {@code none} leaves
   * the columns as they are. A constant column becomes 0 by the first two.
   *
   * @param name one of {@link #NAMES}
   * @param train the training set's features, which are finite
   * @throws IllegalArgumentException if there is no scaling of that name
   */
  public static ColumnScaling of(String name, Features train) {
    int I = train.width();
    float[] centre = new float[I];
    float[] factor = new float[I];
    switch (name) {
      case "none" -> Arrays.fill(factor, 1);
      case "standard" -> {
        Moments moments = Moments.of(train);
        for (int i = 0; i < I; i++) {
          centre[i] = (float) moments.mean[i];
          factor[i] = inverse(Math.sqrt(moments.squares[i] / moments.count), centre[i]);
        }
      }
      case "minmax" -> {
        Moments moments = Moments.of(train);
        for (int i = 0; i < I; i++) {
          centre[i] = moments.least[i];
          factor[i] = inverse((double) moments.most[i] - moments.least[i], moments.least[i]);
        }
      }
      default ->
          throw new IllegalArgumentException(
              "scaling must be one of %s, found %s".formatted(String.join(", ", NAMES), name));
    }
    return new ColumnScaling(name, centre, factor);
  }

  /**
   * The factor for a column of that spread: 0 where the spread is no more than what rounding makes
   * of a constant column, whose noise must not be blown up.
   */
  private static float inverse(double spread, float centre) {
    boolean constant = spread <= Math.ulp(centre);
    float factor = constant ? 0 : (float) (1 / spread);
    return Float.isFinite(factor) ? factor : 0;
  }

  /**
   * Turns rows of features into inputs, in place.
   *
   * @param rows (n, I)
   */
  public void apply(float[] rows) {
    int I = centre.length;
    for (int row = 0; row < rows.length; row += I) {
      for (int i = 0; i < I; i++) {
        rows[row + i] = (rows[row + i] - centre[i]) * factor[i];
      }
    }
  }

  /** Sums over the rows of a part of the set, by Welford's and Chan's formulas. */
  private static final class Moments {
    private long count;
    private final double[] mean;
    private final double[] squares; // sums of squared deviations from the mean
    private final float[] least;
    private final float[] most;

    private Moments(int I) {
      mean = new double[I];
      squares = new double[I];
      least = new float[I];
      most = new float[I];
      Arrays.fill(least, Float.POSITIVE_INFINITY);
      Arrays.fill(most, Float.NEGATIVE_INFINITY);
    }

    /**
     * The moments of all rows. The parts are added in a fixed order, because sums of floats depend
     * on it, and a machine with more cores must find the same numbers.
     */
    static Moments of(Features features) {
      int tasks = (features.size() + TASK - 1) / TASK;
      List<Moments> parts =
          IntStream.range(0, tasks)
              .parallel()
              .mapToObj(t -> ofRows(features, t * TASK, Math.min(features.size() - t * TASK, TASK)))
              .toList();
      return parts.stream().reduce(new Moments(features.width()), Moments::plus);
    }

    private static Moments ofRows(Features features, int from, int n) {
      int I = features.width();
      var moments = new Moments(I);
      float[] row = new float[I];
      for (int r = from; r < from + n; r++) {
        features.read(r, row, 0);
        moments.count++;
        for (int i = 0; i < I; i++) {
          double before = row[i] - moments.mean[i];
          moments.mean[i] += before / moments.count;
          moments.squares[i] += before * (row[i] - moments.mean[i]);
          moments.least[i] = Math.min(moments.least[i], row[i]);
          moments.most[i] = Math.max(moments.most[i], row[i]);
        }
      }
      return moments;
    }

    private static Moments plus(Moments a, Moments b) {
      if (a.count == 0) {
        return b;
      }
      var sum = new Moments(a.mean.length);
      sum.count = a.count + b.count;
      for (int i = 0; i < sum.mean.length; i++) {
        double apart = b.mean[i] - a.mean[i];
        sum.mean[i] = a.mean[i] + apart * b.count / sum.count;
        sum.squares[i] =
            a.squares[i] + b.squares[i] + apart * apart * a.count * b.count / sum.count;
        sum.least[i] = Math.min(a.least[i], b.least[i]);
        sum.most[i] = Math.max(a.most[i], b.most[i]);
      }
      return sum;
    }
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof ColumnScaling that
        && name.equals(that.name)
        && Arrays.equals(centre, that.centre)
        && Arrays.equals(factor, that.factor);
  }

  @Override
  public int hashCode() {
    return 31 * Arrays.hashCode(centre) + Arrays.hashCode(factor);
  }

  @Override
  public String toString() {
    return "%s of %d columns".formatted(name, centre.length);
  }
}
