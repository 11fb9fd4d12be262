package mlpcuda.data;

import java.util.List;
import java.util.stream.Stream;

/** The map from the features of an example to the inputs of a network. */
public sealed interface Scaling permits PixelScaling, ColumnScaling {
  /** The names of all scalings: those of pixels, then those of columns. */
  List<String> NAMES =
      Stream.concat(PixelScaling.NAMES.stream(), ColumnScaling.NAMES.stream()).toList();

  /** The name that chooses the scaling, such as {@code z-score}. */
  String name();

  /**
   * Returns the scaling that a name stands for: a {@link PixelScaling} of images whose pixels are
   * bytes, a {@link ColumnScaling} of floats. The names of pixels' scalings are also those of the
   * presets; with floats they stand for {@code standard}.
   *
   * @param name one of either's names
   * @param train the training set, from whose features the scaling takes its numbers
   * @throws IllegalArgumentException if pixels have no scaling of that name
   * @throws mlpcuda.error.BadFileException if the training set has no such scaling
   */
  static Scaling of(String name, ExampleSet train) {
    return FeatureStatistics.of(name, train).scaling();
  }

  /** The name of the scaling that a name stands for, for pixels that are bytes or for floats. */
  static String named(String name, boolean bytes) {
    return bytes || ColumnScaling.NAMES.contains(name) ? name : ColumnScaling.NAMES.get(0);
  }
}
