package mlpcuda.compute.cuda;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import mlpcuda.compute.Agreement;
import mlpcuda.compute.Ops;
import mlpcuda.compute.Precision;
import mlpcuda.compute.cuda.CudaOptions.Activator;
import mlpcuda.compute.cuda.CudaOptions.FeedKind;
import mlpcuda.compute.cuda.CudaOptions.Launching;
import mlpcuda.compute.cuda.CudaOptions.Multiplier;
import mlpcuda.conformance.Cases;
import mlpcuda.conformance.Cases.Case;
import mlpcuda.error.DeviceException;
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
  /** A combination of product, precision and kernels. */
  private record Device(Multiplier gemm, Precision precision, Activator kernels) {
    List<Case> cases() {
      return precision == Precision.FP32 ? Cases.all() : Cases.products(precision);
    }

    @Override
    public String toString() {
      return "%s products of %s and %s kernels".formatted(gemm, precision, kernels);
    }
  }

  private static final List<Device> ALL =
      Stream.of(Multiplier.PTX, Multiplier.CUBLAS)
          .flatMap(
              gemm ->
                  Stream.concat(
                      Stream.of(Activator.values())
                          .map(kernels -> new Device(gemm, Precision.FP32, kernels)),
                      Stream.of(Precision.values())
                          .filter(precision -> precision != Precision.FP32)
                          .map(precision -> new Device(gemm, precision, Activator.PTX))))
          .toList();
  private static final Map<Device, Ops> DEVICES = new HashMap<>();
  private static final Map<Device, String> MISSING = new HashMap<>();

  @BeforeAll
  static void open() {
    for (Device device : ALL) {
      CudaDriver driver = RealGpu.open();
      try {
        var options =
            CudaOptions.layered(device.gemm, FeedKind.PINNED, Launching.SINGLE)
                .with(device.kernels)
                .with(device.precision);
        DEVICES.put(device, new CudaOps(driver, options));
      } catch (DeviceException e) { // cuBLAS, cuDNN or tensor cores are missing
        MISSING.put(device, e.why());
      }
    }
  }

  @AfterAll
  static void close() {
    DEVICES.values().forEach(Ops::close);
  }

  static Stream<Arguments> runs() {
    return ALL.stream()
        .flatMap(device -> device.cases().stream().map(c -> Arguments.of(device, c)));
  }

  @ParameterizedTest(name = "{1} with {0}")
  @MethodSource("runs")
  void agreesWithTheReference(Device device, Case c) {
    Assumptions.assumeTrue(DEVICES.containsKey(device), () -> MISSING.get(device));
    Agreement.check(DEVICES.get(device), c);
  }
}
