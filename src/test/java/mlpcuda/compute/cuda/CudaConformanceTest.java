package mlpcuda.compute.cuda;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import mlpcuda.compute.Agreement;
import mlpcuda.compute.Ops;
import mlpcuda.compute.Precision;
import mlpcuda.compute.cuda.CudaOptions.Activator;
import mlpcuda.compute.cuda.CudaOptions.FeedKind;
import mlpcuda.compute.cuda.CudaOptions.Launching;
import mlpcuda.compute.cuda.CudaOptions.Multiplier;
import mlpcuda.compute.cuda.emulator.EmulatedDriver;
import mlpcuda.compute.cuda.emulator.EmulatedOptions;
import mlpcuda.compute.cuda.emulator.EmulatedPolicy;
import mlpcuda.conformance.Cases;
import mlpcuda.conformance.Cases.Case;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The GPU's operations on the interpreter against the reference, over the whole table: with our own
 * GEMM, and with a plain column-major one in place of cuBLAS; with our own kernels, and with plain
 * loops in place of cuDNN.
 */
class CudaConformanceTest {
  private static final Map<String, Ops> DEVICES =
      Map.of(
          "own GEMM",
          ops(Multiplier.PTX, Activator.PTX),
          "cuBLAS",
          ops(Multiplier.CUBLAS, Activator.PTX),
          "own GEMM and cuDNN",
          ops(Multiplier.PTX, Activator.CUDNN),
          "cuBLAS and cuDNN",
          ops(Multiplier.CUBLAS, Activator.CUDNN));

  /**
   * A device for products with rounded operands, and some without. The number of multiprocessors
   * decides how large tiles are: 1 makes them large, 1000 small or thin.
   */
  private record Rounding(Precision precision, Multiplier gemm, int multiprocessors) {
    Ops open() {
      var options = EmulatedOptions.of(EmulatedPolicy.LATEST).withMultiprocessors(multiprocessors);
      return new CudaOps(
          new EmulatedDriver(options),
          CudaOptions.layered(gemm, FeedKind.PINNED, Launching.SINGLE).with(precision));
    }

    @Override
    public String toString() {
      return "%s of %s, %d multiprocessors".formatted(gemm, precision, multiprocessors);
    }
  }

  /** One precision with our own products, and one with the replacement of cuBLAS. */
  private static final List<Rounding> ROUNDING =
      List.of(
          new Rounding(Precision.TF32, Multiplier.CUBLAS, 4),
          new Rounding(Precision.BF16, Multiplier.PTX, 4));

  /** The other precisions, and sizes of tiles, and the replacement of cuBLAS with all of them. */
  private static final List<Rounding> MORE_ROUNDING =
      List.of(
          new Rounding(Precision.FP32, Multiplier.PTX, 1000),
          new Rounding(Precision.TF32, Multiplier.PTX, 1),
          new Rounding(Precision.TF32, Multiplier.PTX, 1000),
          new Rounding(Precision.BF16, Multiplier.PTX, 1000),
          new Rounding(Precision.BF16, Multiplier.CUBLAS, 4),
          new Rounding(Precision.FP16, Multiplier.PTX, 1),
          new Rounding(Precision.FP16, Multiplier.PTX, 13),
          new Rounding(Precision.FP16, Multiplier.CUBLAS, 4));

  private static final Map<Rounding, Ops> ROUNDING_DEVICES = new HashMap<>();

  /** The operations that cuDNN takes part in; the others would only be run again unchanged. */
  private static final Set<String> BY_CUDNN =
      Set.of("linearForward", "linearBackward", "activationBackward", "logSoftmaxForward");

  private static Ops ops(Multiplier gemm, Activator kernels) {
    return new CudaOps(
        new EmulatedDriver(EmulatedPolicy.LATEST),
        CudaOptions.layered(gemm, FeedKind.PINNED, Launching.SINGLE).with(kernels));
  }

  @AfterAll
  static void close() {
    DEVICES.values().forEach(Ops::close);
    ROUNDING_DEVICES.values().forEach(Ops::close);
  }

  /**
   * Everything with our own GEMM; with cuBLAS only products, and with cuDNN only what it takes part
   * in, since the rest would be run again unchanged.
   */
  static Stream<Arguments> runs() {
    List<Case> products = Cases.products(Precision.FP32);
    List<Case> byCudnn =
        Cases.all().stream().filter(c -> BY_CUDNN.contains(c.operation())).toList();
    return Stream.of(
            on("own GEMM", Cases.all()),
            on("cuBLAS", products),
            on("own GEMM and cuDNN", byCudnn),
            on("cuBLAS and cuDNN", Agreement.withOneActivationEach(products)))
        .flatMap(runs -> runs);
  }

  private static Stream<Arguments> on(Object device, List<Case> cases) {
    return cases.stream().map(c -> Arguments.of(device, c));
  }

  @ParameterizedTest(name = "{1} with {0}")
  @MethodSource("runs")
  void agreesWithTheReference(String device, Case c) {
    Agreement.check(DEVICES.get(device), c);
  }

  static Stream<Arguments> roundingRuns() {
    return ROUNDING.stream()
        .flatMap(
            device ->
                on(device, Agreement.withOneActivationEach(Cases.products(device.precision))));
  }

  static Stream<Arguments> moreRoundingRuns() {
    return Stream.of(ROUNDING, MORE_ROUNDING)
        .flatMap(List::stream)
        .flatMap(device -> on(device, Cases.products(device.precision)));
  }

  static Stream<Arguments> moreRuns() {
    return on("cuBLAS and cuDNN", Cases.products(Precision.FP32));
  }

  @ParameterizedTest(name = "{1} with {0}")
  @MethodSource("roundingRuns")
  void productsOfRoundedOperandsAgreeWithTheReference(Rounding device, Case c) {
    Agreement.check(ROUNDING_DEVICES.computeIfAbsent(device, Rounding::open), c);
  }

  @Tag("long")
  @ParameterizedTest(name = "{1} with {0}")
  @MethodSource("moreRuns")
  void everyActivationAgreesWithTheReference(String device, Case c) {
    Agreement.check(DEVICES.get(device), c);
  }

  @Tag("long")
  @ParameterizedTest(name = "{1} with {0}")
  @MethodSource("moreRoundingRuns")
  void productsInOtherTilesAgreeWithTheReference(Rounding device, Case c) {
    Agreement.check(ROUNDING_DEVICES.computeIfAbsent(device, Rounding::open), c);
  }
}
