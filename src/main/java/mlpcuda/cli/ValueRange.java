package mlpcuda.cli;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.LinkedHashMap;
import java.util.Map;
import mlpcuda.features.Features;

/**
 * The range of some inputs of all examples.
 *
 * @param least the least value
 * @param mean the mean of the values
 * @param most the greatest value
 */
record ValueRange(float least, double mean, float most) {
  private static final MathContext DIGITS = new MathContext(6);

  /** The range of all inputs together. */
  static ValueRange ofAll(Features features) {
    ValueRange[] each = of(features, features.width());
    ValueRange all = each[0];
    double sum = 0;
    for (ValueRange one : each) {
      all = new ValueRange(Math.min(all.least, one.least), 0, Math.max(all.most, one.most));
      sum += one.mean;
    }
    return new ValueRange(all.least, sum / each.length, all.most);
  }

  /** The ranges of the first {@code n} inputs, in one pass over the examples. */
  static ValueRange[] of(Features features, int n) {
    float[] row = new float[features.width()];
    features.read(0, row, 0);
    float[] least = row.clone();
    float[] most = row.clone();
    double[] sums = new double[n];
    for (int r = 0; r < features.size(); r++) {
      features.read(r, row, 0);
      for (int i = 0; i < n; i++) {
        least[i] = Math.min(least[i], row[i]);
        most[i] = Math.max(most[i], row[i]);
        sums[i] += row[i];
      }
    }
    var ranges = new ValueRange[n];
    for (int i = 0; i < n; i++) {
      ranges[i] = new ValueRange(least[i], sums[i] / features.size(), most[i]);
    }
    return ranges;
  }

  /** Formats a number with six digits at most, a whole number of fewer than 13 digits in full. */
  static String text(double number) {
    if (number == Math.rint(number) && Math.abs(number) < 1e12) {
      return Long.toString((long) number);
    }
    return new BigDecimal(number).round(DIGITS).stripTrailingZeros().toString();
  }

  /** The range for JSON. */
  Map<String, Object> json() {
    var json = new LinkedHashMap<String, Object>();
    json.put("min", least);
    json.put("mean", mean);
    json.put("max", most);
    return json;
  }

  /** The range in words. */
  @Override
  public String toString() {
    return "from %s to %s, mean %s".formatted(text(least), text(most), text(mean));
  }
}
