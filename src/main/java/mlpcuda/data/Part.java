package mlpcuda.data;

import java.util.Optional;
import mlpcuda.features.Features;

/**
 * A set of examples as a reader of a format found it: one file, or the files of a folder that
 * belong together.
 *
 * @param name the file or folder, for messages
 * @param layout what the inputs are
 * @param features (N, I)
 * @param labels the labels; empty where the set has none
 * @param weights (N), how much each example counts, finite and at least 0; empty where all count
 *     alike
 */
public record Part(
    String name,
    Layout layout,
    Features features,
    Optional<LabelColumn> labels,
    Optional<float[]> weights) {
  /** A set whose examples all count alike. */
  public Part(String name, Layout layout, Features features, Optional<LabelColumn> labels) {
    this(name, layout, features, labels, Optional.empty());
  }
}
