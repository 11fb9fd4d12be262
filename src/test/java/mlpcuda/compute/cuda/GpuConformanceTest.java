package mlpcuda.compute.cuda;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import mlpcuda.compute.Agreement;
import mlpcuda.compute.DeviceException;
import mlpcuda.compute.Ops;
import mlpcuda.compute.cuda.CudaOptions.Gemm;
import mlpcuda.conformance.Cases;
import mlpcuda.conformance.Cases.Case;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The operations on a real GPU against the reference, over the whole table. */
@Tag("gpu")
class GpuConformanceTest {
  private static final Map<Gemm, Ops> DEVICES = new HashMap<>();
  private static final Map<Gemm, String> MISSING = new HashMap<>();

  @BeforeAll
  static void open() {
    for (Gemm gemm : Gemm.values()) {
      CudaDriver driver = RealGpu.open();
      try {
        DEVICES.put(gemm, new CudaOps(driver, new CudaOptions(gemm, false, false, false)));
      } catch (DeviceException e) { // no cuBLAS
        MISSING.put(gemm, e.why());
      }
    }
  }

  @AfterAll
  static void close() {
    DEVICES.values().forEach(Ops::close);
  }

  static Stream<Arguments> runs() {
    List<Case> cases = Cases.all();
    return Stream.of(Gemm.values()).flatMap(gemm -> cases.stream().map(c -> Arguments.of(gemm, c)));
  }

  @ParameterizedTest(name = "{1} with {0}")
  @MethodSource("runs")
  void agreesWithTheReference(Gemm gemm, Case c) {
    Assumptions.assumeTrue(DEVICES.containsKey(gemm), () -> MISSING.get(gemm));
    Agreement.check(DEVICES.get(gemm), c);
  }
}
