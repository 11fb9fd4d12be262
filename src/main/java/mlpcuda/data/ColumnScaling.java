package mlpcuda.data;

import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;
import mlpcuda.features.Features;

/**
 * A map of each column of floats of its own: input i is (vᵢ − centreᵢ) · factorᵢ, in single
 * precision and with the subtraction first, so that large numbers of small spread, such as years,
 * keep their digits.
 *
 * @param name {@code standard}, {@code minmax} or {@code none}
 * @param centre (I), the number that is subtracted from each column
 * @param factor (I), the number by which the difference is multiplied
 */
public record ColumnScaling(String name, float[] centre, float[] factor) implements Scaling {
  /** The names that {@link #of} accepts. */
  public static final List<String> NAMES = List.of("standard", "minmax", "none");

  /**
   * Checks the numbers.
   *
   * @throws IllegalArgumentException if the arrays differ in length, or a number is not finite
   */
  public ColumnScaling {
    if (centre.length != factor.length) {
      throw new IllegalArgumentException(
          "centre and factor must have one number for each column, found %d and %d"
              .formatted(centre.length, factor.length));
    }
    for (int i = 0; i < centre.length; i++) {
      if (!Float.isFinite(centre[i]) || !Float.isFinite(factor[i])) {
        throw new IllegalArgumentException(
            "centre and factor must be finite, found %s and %s for column %d"
                .formatted(centre[i], factor[i], i + 1));
      }
    }
  }

  /**
   * Returns the scaling of the given name: {@code standard} to mean 0 and population standard
   * deviation 1 of each column of the training set, {@code minmax} to [0, 1], {@code none} leaves
   * the columns as they are. A constant column becomes 0 by the first two.
   *
   * @param name one of {@link #NAMES}
   * @param train the training set's features, which are finite
   * @throws IllegalArgumentException if there is no scaling of that name
   */
  public static ColumnScaling of(String name, Features train) {
    return of(name, train.width(), () -> ColumnMoments.of(train));
  }

  /** Returns the scaling that leaves so many columns as they are. */
  public static ColumnScaling none(int columns) {
    float[] factor = new float[columns];
    Arrays.fill(factor, 1);
    return new ColumnScaling("none", new float[columns], factor);
  }

  /**
   * Returns the scaling of the given name by moments that were computed before.
   *
   * @param I the number of columns
   * @param train the moments of the training set's columns, which {@code none} does not ask for
   */
  static ColumnScaling of(String name, int I, Supplier<ColumnMoments> train) {
    float[] centre = new float[I];
    float[] factor = new float[I];
    switch (name) {
      case "none" -> {
        return none(I);
      }
      case "standard" -> {
        ColumnMoments moments = train.get();
        for (int i = 0; i < I; i++) {
          centre[i] = (float) moments.mean(i);
          factor[i] = inverse(moments.deviation(i), centre[i]);
        }
      }
      case "minmax" -> {
        ColumnMoments moments = train.get();
        for (int i = 0; i < I; i++) {
          centre[i] = moments.least(i);
          factor[i] = inverse((double) moments.most(i) - moments.least(i), moments.least(i));
        }
      }
      default ->
          throw new IllegalArgumentException(
              "scaling must be one of %s, found %s".formatted(String.join(", ", NAMES), name));
    }
    return new ColumnScaling(name, centre, factor);
  }

  /**
   * The factor for a column of that spread: 0 where the spread is no more than what rounding makes
   * of a constant column, whose noise must not be blown up.
   */
  private static float inverse(double spread, float centre) {
    boolean constant = spread <= Math.ulp(centre);
    float factor = constant ? 0 : (float) (1 / spread);
    return Float.isFinite(factor) ? factor : 0;
  }

  /**
   * Turns rows of features into inputs, in place.
   *
   * @param rows (n, I)
   */
  public void apply(float[] rows) {
    int I = centre.length;
    for (int row = 0; row < rows.length; row += I) {
      for (int i = 0; i < I; i++) {
        rows[row + i] = (rows[row + i] - centre[i]) * factor[i];
      }
    }
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof ColumnScaling that
        && name.equals(that.name)
        && Arrays.equals(centre, that.centre)
        && Arrays.equals(factor, that.factor);
  }

  @Override
  public int hashCode() {
    return 31 * Arrays.hashCode(centre) + Arrays.hashCode(factor);
  }

  @Override
  public String toString() {
    return "%s of %d columns".formatted(name, centre.length);
  }
}
