package mlpcuda.compute;

import static mlpcuda.conformance.Conformance.normalisedError;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Stream;
import mlpcuda.compute.cpu.CpuOps;
import mlpcuda.compute.cpu.ReferenceOps;
import mlpcuda.conformance.Cases;
import mlpcuda.conformance.Cases.Case;
import mlpcuda.conformance.Conformance;
import mlpcuda.conformance.GuardedBuffers;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Compares the CPU with {@link ReferenceOps}, over the whole table of {@link Cases}. */
class ConformanceTest {
  /**
   * The devices by name: 3 threads make parts of unequal size, also on a machine with fewer cores;
   * 12 are more than some matrices have rows.
   */
  private static final Map<String, Ops> DEVICES = new LinkedHashMap<>();

  /** Multiplies by kernels for small matrices, also where the processor's own choice is another. */
  private static final Ops SMALL_KERNELS = new CpuOps(2, Precision.FP32, true);

  static {
    for (Precision precision : Precision.values()) {
      String in = precision == Precision.FP32 ? "" : " in " + precision.label();
      DEVICES.put("CPU, 1 thread" + in, new CpuOps(1, precision));
      DEVICES.put("CPU, 3 threads" + in, new CpuOps(3, precision));
    }
    DEVICES.put("CPU, 12 threads", new CpuOps(12, Precision.FP32, false));
    DEVICES.put("CPU, 2 threads, small kernels", SMALL_KERNELS);
  }

  /** Operations that change none of their inputs. */
  private static final Set<String> REPEATABLE =
      Set.of(
          "gatherForward",
          "linearForward",
          "linearBackward",
          "activationBackward",
          "logSoftmaxForward",
          "crossEntropyForward");

  @AfterAll
  static void close() {
    DEVICES.values().forEach(Ops::close);
  }

  /**
   * All cases in single precision. The other devices differ from it in their products alone, and
   * not in what becomes of a product.
   */
  static Stream<Arguments> runs() {
    return on(
        device ->
            isInSinglePrecision(device)
                ? Cases.all()
                : Agreement.withOneActivationEach(Cases.products(device.precision())));
  }

  /** The products of the other devices with every activation. */
  static Stream<Arguments> otherActivations() {
    return on(
        device -> isInSinglePrecision(device) ? List.of() : Cases.products(device.precision()));
  }

  private static boolean isInSinglePrecision(Ops device) {
    return device.precision() == Precision.FP32 && device != SMALL_KERNELS;
  }

  private static Stream<Arguments> on(Function<Ops, List<Case>> cases) {
    return DEVICES.entrySet().stream()
        .flatMap(
            device ->
                cases.apply(device.getValue()).stream().map(c -> Arguments.of(device.getKey(), c)));
  }

  @ParameterizedTest(name = "{1} on {0}")
  @MethodSource("runs")
  void agreesWithTheReference(String device, Case c) {
    Agreement.check(DEVICES.get(device), c);
  }

  @Tag("long")
  @ParameterizedTest(name = "{1} on {0}")
  @MethodSource("otherActivations")
  void everyActivationAgreesWithTheReference(String device, Case c) {
    Agreement.check(DEVICES.get(device), c);
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

  /** An operation that writes into its input is found out, whatever its outputs are. */
  @Test
  void aChangedInputIsDamage() {
    var c =
        new Case(
            "write",
            "of an input",
            1,
            t -> {
              Buffer x = t.given("x", 3f, 4f);
              return () -> t.ops().write(x, new float[2]);
            });
    try (var ops = new ReferenceOps()) {
      Conformance.Result result = Conformance.check(ops, c, Map.of());
      assertFalse(result.passed());
      assertEquals(
          "write of an input: an element of the input x must stay 3.0, found 0.0 at index 0",
          result.toString());
      assertEquals(0, ops.liveBytes());
    }
  }

  static Stream<Case> repeatable() {
    return Cases.all().stream().filter(c -> REPEATABLE.contains(c.operation()));
  }

  /**
   * The operation of a case can be repeated: what its outputs held before changes no bit of them.
   */
  @ParameterizedTest
  @MethodSource("repeatable")
  void aCallMayBeRepeated(Case c) {
    Ops ops = DEVICES.get("CPU, 12 threads");
    try (var buffers = new GuardedBuffers(ops)) {
      Runnable call = c.inputs().apply(buffers);
      call.run();
      Map<String, double[]> once = buffers.results();
      call.run();
      buffers.results().forEach((name, twice) -> assertArrayEquals(once.get(name), twice, name));
    }
  }
}
