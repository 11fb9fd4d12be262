package mlpcuda;

import java.util.Locale;
import mlpcuda.train.Score;

/** How a network's answers to a set of examples compare with the labels. */
public final class Evaluation {
  private final Score score;

  Evaluation(Score score) {
    this.score = score;
  }

  /** The mean cross-entropy of the examples. */
  public double loss() {
    return score.loss();
  }

  /** The fraction of the examples that are answered right, from 0 to 1. */
  public double accuracy() {
    return score.accuracy();
  }

  /** The number of examples that are answered right. */
  public long right() {
    return score.right();
  }

  /** The number of examples. */
  public long size() {
    return score.size();
  }

  /** The number of classes, C. */
  public int classes() {
    return score.classes();
  }

  /** A copy of the confusion matrix, (C, C): examples by true class (row) and answer (column). */
  public long[][] confusion() {
    long[][] copy = new long[classes()][];
    for (int c = 0; c < copy.length; c++) {
      copy[c] = score.confusion()[c].clone();
    }
    return copy;
  }

  /** The fraction of the examples answered {@code c} that are of class {@code c}; 0 if none is. */
  public double precision(int c) {
    return score.precision(c);
  }

  /** The fraction of the examples of class {@code c} that are answered so; 0 if none is. */
  public double recall(int c) {
    return score.recall(c);
  }

  /** The harmonic mean of precision and recall of class {@code c}; 0 where both are 0. */
  public double f1(int c) {
    return score.f1(c);
  }

  /** Loss and accuracy in a line. */
  @Override
  public String toString() {
    return String.format(
        Locale.ROOT,
        "Average loss: %.4f, Accuracy: %d/%d (%.2f%%)",
        loss(),
        right(),
        size(),
        100 * accuracy());
  }
}
