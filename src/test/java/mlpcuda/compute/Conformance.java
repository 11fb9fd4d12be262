package mlpcuda.compute;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashMap;
import java.util.Map;
import mlpcuda.compute.Cases.Case;
import mlpcuda.compute.cpu.ReferenceOps;

/** A case of the table on a device, against {@link ReferenceOps}. */
public final class Conformance {
  private static final ReferenceOps REFERENCE = new ReferenceOps();
  private static final Map<String, Map<String, double[]>> EXPECTED = new HashMap<>();

  private Conformance() {}

  /** Fails unless the device agrees with the reference and leaves nothing behind. */
  public static void check(Ops ops, Case c) {
    Map<String, double[]> expected =
        EXPECTED.computeIfAbsent(c.name(), name -> results(REFERENCE, c));
    Map<String, double[]> found = results(ops, c);
    assertEquals(expected.keySet(), found.keySet());
    expected.forEach(
        (output, values) -> {
          double error = normalisedError(found.get(output), values);
          assertTrue(
              error <= c.limit(),
              "%s on %s: error of %s is %.3g, limit %.3g"
                  .formatted(c.name(), ops.description(), output, error, c.limit()));
        });
    assertEquals(0, ops.liveBytes(), "bytes not released");
  }

  private static Map<String, double[]> results(Ops ops, Case c) {
    try (var bench = new Bench(ops)) {
      c.run().accept(bench);
      return bench.results();
    }
  }

  /**
   * mse(found, expected) / mse(expected, 0) over the finite elements; infinite where one is NaN or
   * infinite and the other is not the same.
   */
  static double normalisedError(double[] found, double[] expected) {
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
}
