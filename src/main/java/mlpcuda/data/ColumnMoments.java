package mlpcuda.data;

import java.io.Serializable;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import mlpcuda.features.Features;

/** Range, mean and spread of each column of a set of features, by Welford's and Chan's formulas. */
public final class ColumnMoments implements Serializable {
  private static final long serialVersionUID = 1;

  /** The rows that one task reads. */
  private static final int TASK = 4096;

  private long count;
  private final double[] mean;
  private final double[] squares; // sums of squared deviations from the mean
  private final float[] least;
  private final float[] most;

  private ColumnMoments(int I) {
    mean = new double[I];
    squares = new double[I];
    least = new float[I];
    most = new float[I];
    Arrays.fill(least, Float.POSITIVE_INFINITY);
    Arrays.fill(most, Float.NEGATIVE_INFINITY);
  }

  /**
   * The moments of all rows. The parts are added in a fixed order, because sums of floats depend on
   * it, and a machine with more cores must find the same numbers.
   */
  public static ColumnMoments of(Features features) {
    int tasks = (features.size() + TASK - 1) / TASK;
    List<ColumnMoments> parts =
        IntStream.range(0, tasks)
            .parallel()
            .mapToObj(t -> ofRows(features, t * TASK, Math.min(features.size() - t * TASK, TASK)))
            .toList();
    return parts.stream().reduce(new ColumnMoments(features.width()), ColumnMoments::plus);
  }

  /** The smallest value of input {@code i}. */
  public float least(int i) {
    return least[i];
  }

  /** The largest value of input {@code i}. */
  public float most(int i) {
    return most[i];
  }

  /** The mean of input {@code i}. */
  public double mean(int i) {
    return mean[i];
  }

  /** The population standard deviation of input {@code i}. */
  double deviation(int i) {
    return Math.sqrt(squares[i] / count);
  }

  private static ColumnMoments ofRows(Features features, int from, int n) {
    int I = features.width();
    var moments = new ColumnMoments(I);
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

  /** The moments of these rows and those of another set of as many columns together. */
  public ColumnMoments plus(ColumnMoments other) {
    if (count == 0) {
      return other;
    }
    var sum = new ColumnMoments(mean.length);
    sum.count = count + other.count;
    for (int i = 0; i < sum.mean.length; i++) {
      double apart = other.mean[i] - mean[i];
      sum.mean[i] = mean[i] + apart * other.count / sum.count;
      sum.squares[i] =
          squares[i] + other.squares[i] + apart * apart * count * other.count / sum.count;
      sum.least[i] = Math.min(least[i], other.least[i]);
      sum.most[i] = Math.max(most[i], other.most[i]);
    }
    return sum;
  }
}
