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
 */
public record Part(String name, Layout layout, Features features, Optional<LabelColumn> labels) {}
