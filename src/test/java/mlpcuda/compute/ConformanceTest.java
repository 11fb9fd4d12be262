package mlpcuda.compute;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import mlpcuda.compute.Cases.Case;
import mlpcuda.compute.cpu.CpuOps;
import mlpcuda.compute.cpu.ReferenceOps;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Every device against {@link ReferenceOps}, over the whole table of {@link Cases}. */
class ConformanceTest {
  private static final ReferenceOps REFERENCE = new ReferenceOps();

  /** By name: 3 threads make parts of unequal size, also on a machine with fewer cores. */
  private static final Map<String, Ops> DEVICES =
      Map.of("CPU, 1 thread", new CpuOps(1), "CPU, 3 threads", new CpuOps(3));

  private static final Map<String, Map<String, double[]>> EXPECTED = new HashMap<>();

  @AfterAll
  static void close() {
    DEVICES.values().forEach(Ops::close);
  }

  static Stream<Arguments> runs() {
    List<Case> cases = Cases.all();
    return DEVICES.keySet().stream()
        .flatMap(device -> cases.stream().map(c -> Arguments.of(device, c)));
  }

  @ParameterizedTest(name = "{1} on {0}")
  @MethodSource("runs")
  void agreesWithTheReference(String device, Case c) {
    Map<String, double[]> expected =
        EXPECTED.computeIfAbsent(c.name(), name -> results(REFERENCE, c));
    Ops ops = DEVICES.get(device);
    Map<String, double[]> found = results(ops, c);
    assertEquals(expected.keySet(), found.keySet());
    expected.forEach(
        (output, values) -> {
          double error = normalisedError(found.get(output), values);
          assertTrue(
              error <= c.limit(),
              "%s on %s: error of %s is %.3g, limit %.3g"
                  .formatted(c.name(), device, output, error, c.limit()));
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
  private static double normalisedError(double[] found, double[] expected) {
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

  @Test
  void theErrorSeesWhatIsWrong() {
    double[] expected = {1, -2, 3};
    assertEquals(0, normalisedError(new double[] {1, -2, 3}, expected));
    assertEquals(1.0 / 14, normalisedError(new double[] {1, -2, 4}, expected), 1e-15);
    double infinite = Double.POSITIVE_INFINITY;
    assertEquals(infinite, normalisedError(new double[] {1, Double.NaN, 3}, expected));
    assertEquals(infinite, normalisedError(expected, new double[] {1, Double.NaN, 3}));
    double[] odd = {Double.NaN, infinite, 1};
    assertEquals(0, normalisedError(odd.clone(), odd));
    assertEquals(infinite, normalisedError(new double[] {Double.NaN, -infinite, 1}, odd));
    assertEquals(infinite, normalisedError(new double[] {1, 0, 0}, new double[3]));
  }
}
