package mlpcuda.spark;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import mlpcuda.Examples;
import mlpcuda.ExamplesBuilder;

/**
 * Puts the rows of a partition into an order that depends on the rows alone. Spark computes a
 * partition again whose executor was lost, and after a shuffle its rows may then come in another
 * order: workers among whom they were dealt anew would share some rows and miss others, and a
 * checkpoint would not fit the rows. Spark's {@code randomSplit} sorts partitions for this reason.
 */
final class PartitionRows {
  private PartitionRows() {}

  /**
   * A row to learn from.
   *
   * @param features (I)
   * @param label the class
   * @param weight the factor of the row's loss
   * @param isHeld whether the row judges the epochs
   */
  record LabelledRow(float[] features, int label, float weight, boolean isHeld) {
    /** Mixes all bits: two different rows among a billion have one hash with a chance of 3 %. */
    private long hash() {
      long hash = mixed(2 * label + (isHeld ? 1 : 0), Float.floatToRawIntBits(weight));
      for (float feature : features) {
        hash = mixed(hash, Float.floatToRawIntBits(feature));
      }
      return hash;
    }

    private static long mixed(long hash, int bits) {
      long product = (hash ^ bits) * 0x9e3779b97f4a7c15L;
      return product ^ (product >>> 32);
    }
  }

  /** A row but for its features, which lie apart, off the heap if they are many. */
  private record Key(int index, long hash, int label, float weight, boolean isHeld) {}

  /**
   * All rows, by their hashes. Their features are finite: whoever read them refused others.
   *
   * @param width the number of features, I
   */
  static Iterator<LabelledRow> sorted(Iterator<LabelledRow> rows, int width) {
    if (!rows.hasNext()) {
      return Collections.emptyIterator();
    }
    List<Key> keys = new ArrayList<>();
    Examples features;
    try (ExamplesBuilder builder = ExamplesBuilder.rows(width)) {
      while (rows.hasNext()) {
        LabelledRow row = rows.next();
        builder.add(row.features, 0);
        keys.add(new Key(keys.size(), row.hash(), row.label, row.weight, row.isHeld));
      }
      features = builder.build();
    }
    keys.sort(Comparator.comparingLong(Key::hash));
    return keys.stream()
        .map(key -> new LabelledRow(features.values(key.index), key.label, key.weight, key.isHeld))
        .iterator();
  }
}
