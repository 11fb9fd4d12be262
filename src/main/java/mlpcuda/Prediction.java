package mlpcuda;

import java.util.List;
import java.util.Locale;

/** What a network takes an image for. */
public final class Prediction {
  private final List<String> labels;
  private final double[] probabilities; // (C)
  private final int index;

  /** A prediction from the logarithms of the classes' probabilities. */
  Prediction(List<String> labels, float[] logs) {
    this.labels = labels;
    this.probabilities = new double[logs.length];
    int best = 0;
    for (int c = 0; c < logs.length; c++) {
      probabilities[c] = Math.exp(logs[c]);
      best = logs[c] > logs[best] ? c : best; // the first of equals
    }
    this.index = best;
  }

  /** The name of the likeliest class. */
  public String label() {
    return labels.get(index);
  }

  /** The number of the likeliest class, from 0. */
  public int index() {
    return index;
  }

  /** The probability that the network gives the likeliest class, from 0 to 1. */
  public double probability() {
    return probabilities[index];
  }

  /** A copy of the probabilities of all classes, (C), whose sum is 1 but for rounding. */
  public double[] probabilities() {
    return probabilities.clone();
  }

  /** The label and its probability. */
  @Override
  public String toString() {
    return String.format(Locale.ROOT, "%s (%.2f%%)", label(), 100 * probability());
  }
}
