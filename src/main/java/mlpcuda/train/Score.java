package mlpcuda.train;

/**
 * The result of a network's answers to a set of examples.
 *
 * @param loss mean cross-entropy
 * @param confusion (C, C): examples by true class (row) and answered class (column)
 */
public record Score(double loss, long[][] confusion) {
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

  /** The number of examples that are answered right. */
  public long right() {
    long right = 0;
    for (int c = 0; c < classes(); c++) {
      right += confusion[c][c];
    }
    return right;
  }

  /** The fraction of examples that are answered right. */
  public double accuracy() {
    return (double) right() / size();
  }

  /** The loss and the accuracy. */
  public Averages averages() {
    return new Averages(loss, accuracy());
  }

  /** The number of examples of class {@code c}. */
  public long support(int c) {
    long support = 0;
    for (long count : confusion[c]) {
      support += count;
    }
    return support;
  }

  /**
   * The fraction of the examples answered {@code c} that are of class {@code c}; 0 if there are
   * none.
   */
  public double precision(int c) {
    long answered = 0;
    for (long[] row : confusion) {
      answered += row[c];
    }
    return answered == 0 ? 0 : (double) confusion[c][c] / answered;
  }

  /** The fraction of the examples of class {@code c} that are answered so; 0 if there are none. */
  public double recall(int c) {
    return support(c) == 0 ? 0 : (double) confusion[c][c] / support(c);
  }

  /** The harmonic mean of precision and recall of class {@code c}; 0 where both are 0. */
  public double f1(int c) {
    double sum = precision(c) + recall(c);
    return sum == 0 ? 0 : 2 * precision(c) * recall(c) / sum;
  }
}
