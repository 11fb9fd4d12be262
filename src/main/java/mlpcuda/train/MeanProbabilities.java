package mlpcuda.train;

import java.util.Arrays;

/**
 * The mean of the probabilities that several passes give the classes of some examples. It is kept
 * as logarithms, the largest apart, so that no probability becomes 0 that was above.
 */
final class MeanProbabilities {
  private final double[][] largest; // (n, C), the largest logarithm so far
  private final double[][] sums; // (n, C), of the probabilities relative to the largest
  private int passes;

  MeanProbabilities(int n, int C) {
    largest = new double[n][C];
    sums = new double[n][C];
    for (double[] row : largest) {
      Arrays.fill(row, Double.NEGATIVE_INFINITY);
    }
  }

  /**
   * Adds a pass.
   *
   * @param logs (n, C), logarithms of the probabilities
   */
  void add(float[][] logs) {
    for (int i = 0; i < logs.length; i++) {
      for (int c = 0; c < logs[i].length; c++) {
        double log = logs[i][c];
        if (log > largest[i][c]) {
          sums[i][c] *= Math.exp(largest[i][c] - log);
          largest[i][c] = log;
        }
        sums[i][c] += Math.exp(log - largest[i][c]);
      }
    }
    passes++;
  }

  /** The logarithms of the mean probabilities of the passes so far, (n, C). */
  float[][] logs() {
    float[][] logs = new float[sums.length][];
    for (int i = 0; i < sums.length; i++) {
      logs[i] = new float[sums[i].length];
      for (int c = 0; c < logs[i].length; c++) {
        logs[i][c] = (float) (largest[i][c] + Math.log(sums[i][c] / passes));
      }
    }
    return logs;
  }
}
