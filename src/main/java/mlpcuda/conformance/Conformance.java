package mlpcuda.conformance;

import java.util.List;
import java.util.Map;
import mlpcuda.compute.Ops;
import mlpcuda.compute.Precision;
import mlpcuda.compute.cpu.ReferenceOps;
import mlpcuda.conformance.Cases.Case;

/** Runs cases of the table on a device, and compares the results with {@link ReferenceOps}. */
public final class Conformance {
  /**
   * The result of a case.
   *
   * @param output the output whose error is largest
   * @param error the output's normalised mean squared error; infinite where something is damaged
   * @param damage the write that the operation must not do; null if there was none
   */
  public record Result(Case tested, String output, double error, String damage) {
    /** Whether the device agrees with the reference and left everything else alone. */
    public boolean passed() {
      return damage == null && error <= tested.limit(); // not so for NaN
    }

    @Override
    public String toString() {
      return damage != null
          ? "%s: %s".formatted(tested, damage)
          : "%s: error of %s is %.3g, limit %.3g".formatted(tested, output, error, tested.limit());
    }
  }

  private Conformance() {}

  /** Runs a case on the device and on the reference in the device's precision. */
  public static Result check(Ops ops, Case tested) {
    return check(ops, tested, expected(tested, ops.precision()));
  }

  /** Runs a case on the device, and compares it with known outputs of the reference. */
  public static Result check(Ops ops, Case tested, Map<String, double[]> expected) {
    long bytes = ops.liveBytes();
    Map<String, double[]> found;
    try {
      found = outputs(ops, tested);
    } catch (DamageException e) {
      return new Result(tested, e.buffer(), Double.POSITIVE_INFINITY, e.getMessage());
    }
    if (ops.liveBytes() != bytes) {
      throw new IllegalStateException(
          "%s: %d bytes were not released".formatted(tested, ops.liveBytes() - bytes));
    }
    if (!found.keySet().equals(expected.keySet())) {
      throw new IllegalStateException(
          "%s: outputs must be %s, found %s".formatted(tested, expected.keySet(), found.keySet()));
    }
    String worst = null;
    double largest = -1;
    for (var output : expected.entrySet()) {
      double error = normalisedError(found.get(output.getKey()), output.getValue());
      if (!(error <= largest)) {
        worst = output.getKey();
        largest = error;
      }
    }
    return new Result(tested, worst, largest, null);
  }

  /** The outputs of the reference in that precision, by name. */
  public static Map<String, double[]> expected(Case tested, Precision precision) {
    try (var reference = new ReferenceOps(precision)) {
      return outputs(reference, tested);
    }
  }

  private static Map<String, double[]> outputs(Ops ops, Case tested) {
    try (var buffers = new GuardedBuffers(ops)) {
      tested.inputs().apply(buffers).run();
      return buffers.results();
    }
  }

  /**
   * mse(found, expected) / mse(expected, 0) over the finite elements; infinite where one is NaN or
   * infinite and the other is not the same.
   */
  public static double normalisedError(double[] found, double[] expected) {
    double difference = 0;
    double size = 0;
    for (int i = 0; i < expected.length; i++) {
      if (!Double.isFinite(found[i]) || !Double.isFinite(expected[i])) {
        if (Double.compare(found[i], expected[i]) != 0) {
          return Double.POSITIVE_INFINITY;
        }
        continue;
      }
      difference += (found[i] - expected[i]) * (found[i] - expected[i]);
      size += expected[i] * expected[i];
    }
    return difference == 0 ? 0 : difference / size;
  }

  /** The {@link #normalisedError} of tensors, taken as one array. */
  public static double normalisedError(List<float[]> found, List<float[]> expected) {
    return normalisedError(joined(found), joined(expected));
  }

  private static double[] joined(List<float[]> tensors) {
    double[] all = new double[tensors.stream().mapToInt(tensor -> tensor.length).sum()];
    int i = 0;
    for (float[] tensor : tensors) {
      for (float value : tensor) {
        all[i++] = value;
      }
    }
    return all;
  }
}
