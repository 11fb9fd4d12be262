package mlpcuda.train;

/**
 * The answers of a network to each example of a set.
 *
 * @param classes (N): the class of the largest logit, the first of equals
 * @param probabilities (N): the probability that the network gives that class
 */
public record Predictions(int[] classes, float[] probabilities) {
  /** Space for the answers to {@code size} examples. */
  public Predictions(int size) {
    this(new int[size], new float[size]);
  }

  void put(int example, int answer, float[] logits, int from, int C) {
    double sum = 0; // the softmax's denominator, relative to the answer's own term
    for (int c = 0; c < C; c++) {
      sum += Math.exp((double) logits[from + c] - logits[from + answer]);
    }
    classes[example] = answer;
    probabilities[example] = (float) (1 / sum);
  }
}
