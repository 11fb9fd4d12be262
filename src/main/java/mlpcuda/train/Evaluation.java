package mlpcuda.train;

/**
 * How a network answers a set of examples.
 *
 * @param loss mean cross-entropy
 * @param confusion (C, C): examples by true class (row) and answered class (column)
 */
public record Evaluation(double loss, long[][] confusion) {
  /** Number of classes, C. */
  public int classes() {
    return confusion.length;
  }

  /** Number of examples. */
  public long size() {
    long size = 0;
    for (int c = 0; c < classes(); c++) {
      size += support(c);
    }
    return size;
  }

  /** Examples answered right. */
  public long right() {
    long right = 0;
    for (int c = 0; c < classes(); c++) {
      right += confusion[c][c];
    }
    return right;
  }

  /** Fraction of examples answered right. */
  public double accuracy() {
    return (double) right() / size();
  }

  /** Examples of class {@code c}. */
  public long support(int c) {
    long support = 0;
    for (long count : confusion[c]) {
      support += count;
    }
    return support;
  }

  /** Of the examples answered {@code c}, the fraction that are; 0 where none was. */
  public double precision(int c) {
    long answered = 0;
    for (long[] row : confusion) {
      answered += row[c];
    }
    return answered == 0 ? 0 : (double) confusion[c][c] / answered;
  }

  /** Of the examples of class {@code c}, the fraction answered so; 0 where there is none. */
  public double recall(int c) {
    return support(c) == 0 ? 0 : (double) confusion[c][c] / support(c);
  }

  /** Harmonic mean of precision and recall; 0 where both are. */
  public double f1(int c) {
    double sum = precision(c) + recall(c);
    return sum == 0 ? 0 : 2 * precision(c) * recall(c) / sum;
  }
}
