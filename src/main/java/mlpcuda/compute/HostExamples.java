package mlpcuda.compute;

import java.util.Optional;
import mlpcuda.features.Features;

/**
 * Examples in the host's memory. Nothing of them may change while a device is fed with them.
 *
 * @param features (N, I)
 * @param labels (N): their classes, an unsigned byte each
 * @param weights (N): the factors of their losses; empty: all count the same
 */
public record HostExamples(Features features, byte[] labels, Optional<float[]> weights) {
  /** Checks that there are as many labels, and weights if there are any, as rows. */
  public HostExamples {
    int N = features.size();
    if (labels.length != N || weights.isPresent() && weights.get().length != N) {
      throw new IllegalArgumentException(
          "%s must have as many labels and weights, found %d and %d"
              .formatted(features, labels.length, weights.map(all -> all.length).orElse(N)));
    }
  }

  /** Bytes in arrays, all of the same weight. */
  public static HostExamples of(byte[] features, byte[] labels) {
    int I = features.length / labels.length;
    return new HostExamples(Features.of(features, I), labels, Optional.empty());
  }

  /** The number of examples, N. */
  public int size() {
    return labels.length;
  }

  /** The number of features of an example, I. */
  public int inputs() {
    return features.width();
  }
}
