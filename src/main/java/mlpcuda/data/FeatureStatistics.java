package mlpcuda.data;

import java.io.Serializable;

/**
 * What a scaling of inputs has to know of a training set. Parts of the set may be looked at by
 * different machines: {@link #plus} gives the statistics of the whole, but for rounding.
 */
public final class FeatureStatistics implements Serializable {
  private static final long serialVersionUID = 1;

  private final String name; // the name of the scaling
  private final int inputs;
  private final boolean bytes;
  private final ColumnMoments moments; // null: the scaling does not need them
  private final PixelCounts counts; // null: the scaling does not need them

  private FeatureStatistics(
      String name, int inputs, boolean bytes, ColumnMoments moments, PixelCounts counts) {
    this.name = name;
    this.inputs = inputs;
    this.bytes = bytes;
    this.moments = moments;
    this.counts = counts;
  }

  /**
   * The statistics of a set, or of a part of one.
   *
   * @param scaling one of {@link Scaling#NAMES}: only what it needs is computed
   */
  public static FeatureStatistics of(String scaling, ExampleSet set) {
    boolean bytes = set.isBytes();
    String name = Scaling.named(scaling, bytes);
    return new FeatureStatistics(
        name,
        set.inputs(),
        bytes,
        bytes || name.equals("none") ? null : ColumnMoments.of(set.features()),
        bytes && name.equals("z-score") ? PixelCounts.of(set.features()) : null);
  }

  /** The statistics of these examples and of another part's, of the same layout, together. */
  public FeatureStatistics plus(FeatureStatistics other) {
    return new FeatureStatistics(
        name,
        inputs,
        bytes,
        moments == null ? null : moments.plus(other.moments),
        counts == null ? null : counts.plus(other.counts));
  }

  /**
   * The scaling of the inputs.
   *
   * @throws IllegalArgumentException if pixels have no scaling of the name
   * @throws mlpcuda.error.BadFileException if the examples have no such scaling
   */
  public Scaling scaling() {
    return bytes
        ? PixelScaling.of(name, () -> counts)
        : ColumnScaling.of(name, inputs, () -> moments);
  }
}
