package mlpcuda.compute.cuda;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import mlpcuda.compute.Agreement;
import mlpcuda.compute.Ops;
import mlpcuda.compute.cuda.CudaOptions.Gemm;
import mlpcuda.compute.cuda.CudaOptions.Kernels;
import mlpcuda.compute.cuda.emulator.EmulatedDriver;
import mlpcuda.compute.cuda.emulator.EmulatedPolicy;
import mlpcuda.conformance.Cases;
import mlpcuda.conformance.Cases.Case;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The GPU's operations on the interpreter against the reference, over the whole table: own GEMM,
 * and a plain column-major one in cuBLAS's place; own kernels, and plain loops in cuDNN's.
 */
class CudaConformanceTest {
  private static final Map<String, Ops> DEVICES =
      Map.of(
          "own GEMM",
          ops(Gemm.PTX, Kernels.PTX),
          "cuBLAS",
          ops(Gemm.CUBLAS, Kernels.PTX),
          "own GEMM and cuDNN",
          ops(Gemm.PTX, Kernels.CUDNN),
          "cuBLAS and cuDNN",
          ops(Gemm.CUBLAS, Kernels.CUDNN));

  /** Of what cuDNN computes; what else there is would be run again as it is. */
  private static final Set<String> BY_CUDNN =
      Set.of("linearForward", "linearBackward", "activationBackward", "logSoftmaxForward");

  private static Ops ops(Gemm gemm, Kernels kernels) {
    return new CudaOps(
        new EmulatedDriver(EmulatedPolicy.LATEST),
        new CudaOptions(gemm, false, false, false).with(kernels));
  }

  @AfterAll
  static void close() {
    DEVICES.values().forEach(Ops::close);
  }

  static Stream<Arguments> runs() {
    List<Case> cases = Cases.all();
    return DEVICES.keySet().stream()
        .flatMap(
            device ->
                cases.stream()
                    .filter(c -> !device.endsWith("cuDNN") || BY_CUDNN.contains(c.operation()))
                    .map(c -> Arguments.of(device, c)));
  }

  @ParameterizedTest(name = "{1} with {0}")
  @MethodSource("runs")
  void agreesWithTheReference(String device, Case c) {
    Agreement.check(DEVICES.get(device), c);
  }
}
