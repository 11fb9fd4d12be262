package mlpcuda.train;

import java.util.ArrayList;
import java.util.List;

/**
 * How the probabilities that a network gives its answers compare with how often these are right:
 * the reliability diagram and the expected calibration error of Guo, Pleiss, Sun and Weinberger,
 * "On calibration of modern neural networks" (ICML 2017).
 *
 * @param bins the answers by their probability, in bins of equal width from 0 to 1
 */
public record Calibration(List<Bin> bins) {
  /** The number of bins. */
  public static final int BINS = 10;

  /**
   * The answers whose probabilities are in (k / {@link #BINS}, (k + 1) / {@link #BINS}].
   *
   * @param count the number of answers
   * @param right the number of right answers
   * @param confidence the mean of the answers' probabilities; NaN if there are no answers
   */
  public record Bin(int count, int right, double confidence) {
    /** The fraction of the answers that are right; NaN if there are no answers. */
    public double accuracy() {
      return (double) right / count;
    }
  }

  /** Copies the list. */
  public Calibration {
    bins = List.copyOf(bins);
  }

  /**
   * The calibration of answers to examples.
   *
   * @param labels (N): the classes of the examples, an unsigned byte each
   */
  public static Calibration of(Predictions answers, byte[] labels) {
    int[] count = new int[BINS];
    int[] right = new int[BINS];
    double[] sum = new double[BINS];
    for (int i = 0; i < labels.length; i++) {
      double probability = answers.probabilities()[i];
      int bin = bin(probability);
      count[bin]++;
      sum[bin] += probability;
      if (answers.classes()[i] == Byte.toUnsignedInt(labels[i])) {
        right[bin]++;
      }
    }
    var bins = new ArrayList<Bin>();
    for (int k = 0; k < BINS; k++) {
      bins.add(new Bin(count[k], right[k], sum[k] / count[k]));
    }
    return new Calibration(bins);
  }

  /** The bin of a probability; a NaN, which no finite network gives, is in the first. */
  private static int bin(double probability) {
    return Math.max(0, Math.min(BINS - 1, (int) Math.ceil(probability * BINS) - 1));
  }

  /**
   * The expected calibration error: the mean distance between confidence and accuracy of the bins,
   * each weighted by its answers; NaN if there are no answers.
   */
  public double error() {
    long size = 0;
    double sum = 0;
    for (Bin bin : bins) {
      size += bin.count;
      sum += bin.count == 0 ? 0 : bin.count * Math.abs(bin.accuracy() - bin.confidence);
    }
    return sum / size;
  }
}
