package mlpcuda.compute;

/** The map from the features of an example to the inputs of a network. */
public sealed interface InputScaling {
  /**
   * All inputs are value · scale + shift.
   *
   * @param scale the factor of a value
   * @param shift what is added to a scaled value
   */
  record Uniform(float scale, float shift) implements InputScaling {}

  /**
   * Input i is (value − centre[i]) · factor[i] in single precision. The subtraction comes first, so
   * that large values with a small spread, such as years, keep their digits.
   *
   * @param centre (I)
   * @param factor (I)
   */
  record PerColumn(Buffer centre, Buffer factor) implements InputScaling {}
}
