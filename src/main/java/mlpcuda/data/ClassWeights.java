package mlpcuda.data;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.StringJoiner;

/**
 * The weights of classes, by which the loss of each training example of a class is multiplied, so
 * that a network also learns a class that is rare.
 *
 * @param weights the weight of each class that has another one than 1, by its name; empty: the
 *     weights are balanced
 */
public record ClassWeights(Map<String, Double> weights) {
  private static final String BALANCED = "balanced";

  /** Copies the weights. */
  public ClassWeights {
    weights = Map.copyOf(weights);
  }

  /**
   * Parses {@code balanced}, or weights such as {@code 0:1,1:5}; a class that is not named has the
   * weight 1.
   *
   * @throws IllegalArgumentException if the text is neither, with the rule and what was found
   *     instead
   */
  public static ClassWeights parse(String text) {
    if (text.equals(BALANCED)) {
      return new ClassWeights(Map.of());
    }
    var weights = new LinkedHashMap<String, Double>();
    for (String pair : text.split(",", -1)) {
      int colon = pair.lastIndexOf(':'); // a name may have colons
      double weight = colon < 1 ? Double.NaN : number(pair.substring(colon + 1));
      if (!(weight >= 0 && weight <= Float.MAX_VALUE)) {
        throw new IllegalArgumentException(
            "must be balanced, or classes and their weights from 0 on, such as 0:1,1:5, found "
                + text);
      }
      if (weights.put(pair.substring(0, colon), weight) != null) {
        throw new IllegalArgumentException(
            "must name each class once, found %s twice".formatted(pair.substring(0, colon)));
      }
    }
    return new ClassWeights(weights);
  }

  private static double number(String text) {
    try {
      return Double.parseDouble(text);
    } catch (NumberFormatException e) {
      return Double.NaN;
    }
  }

  /**
   * Gives the examples of a training set the weights of their classes, times those that they have.
   * Balanced, the weight of a class with n of the set's N examples is N / (C · n), as in
   * scikit-learn's {@code compute_class_weight}.
   *
   * @param labels the names of the classes
   * @throws IllegalArgumentException if a class that is named is none of them
   */
  public ExampleSet apply(ExampleSet train, List<String> labels) {
    double[] ofClass = weights.isEmpty() ? balanced(train, labels.size()) : named(labels);
    float[] ofExample = new float[train.size()];
    for (int i = 0; i < ofExample.length; i++) {
      double own = train.weights().isPresent() ? train.weights().get()[i] : 1;
      ofExample[i] = (float) (own * ofClass[train.label(i)]);
    }
    return train.withWeights(ofExample);
  }

  private static double[] balanced(ExampleSet train, int classes) {
    double[] weights = new double[classes];
    for (int i = 0; i < train.size(); i++) {
      weights[train.label(i)]++;
    }
    for (int c = 0; c < classes; c++) {
      weights[c] = weights[c] == 0 ? 0 : train.size() / (classes * weights[c]);
    }
    return weights;
  }

  private double[] named(List<String> labels) {
    double[] found = new double[labels.size()];
    for (int c = 0; c < found.length; c++) {
      found[c] = weights.getOrDefault(labels.get(c), 1.0);
    }
    for (String name : weights.keySet()) {
      if (!labels.contains(name)) {
        throw new IllegalArgumentException("must name classes of the data, found " + name);
      }
    }
    return found;
  }

  /** The text that {@link #parse} reads. */
  @Override
  public String toString() {
    if (weights.isEmpty()) {
      return BALANCED;
    }
    var text = new StringJoiner(",");
    weights.keySet().stream().sorted().forEach(name -> text.add(name + ":" + weights.get(name)));
    return text.toString();
  }
}
