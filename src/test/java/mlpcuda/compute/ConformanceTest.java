package mlpcuda.compute;

import static mlpcuda.compute.Conformance.normalisedError;
import static org.junit.jupiter.api.Assertions.assertEquals;

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

/** The CPU against {@link ReferenceOps}, over the whole table of {@link Cases}. */
class ConformanceTest {
  /** By name: 3 threads make parts of unequal size, also on a machine with fewer cores. */
  private static final Map<String, Ops> DEVICES =
      Map.of("CPU, 1 thread", new CpuOps(1), "CPU, 3 threads", new CpuOps(3));

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
    Conformance.check(DEVICES.get(device), c);
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
