package mlpcuda.train;

import static org.junit.jupiter.api.Assertions.assertTrue;

import mlpcuda.compute.Precision;
import mlpcuda.compute.cpu.CpuOps;
import mlpcuda.compute.cuda.CudaDriver;
import mlpcuda.compute.cuda.CudaOps;
import mlpcuda.compute.cuda.CudaOptions;
import mlpcuda.compute.cuda.CudaOptions.FeedKind;
import mlpcuda.compute.cuda.CudaOptions.Launching;
import mlpcuda.compute.cuda.CudaOptions.Multiplier;
import mlpcuda.compute.cuda.CudaOptions.StepKind;
import mlpcuda.compute.cuda.emulator.EmulatedDriver;
import mlpcuda.compute.cuda.emulator.EmulatedOptions;
import mlpcuda.compute.cuda.emulator.EmulatedPolicy;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Tests whole runs with rounded operands on the interpreter. */
@Tag("long")
class EmulatedRoundedTrainingTest extends CudaRoundedTraining {
  /** Tiles are thin with as many multiprocessors as an H100 has; in other tests they are large. */
  @ParameterizedTest
  @EnumSource
  void theDefaultNetworkTakesTheCpusStepsOnALargeChip(Precision precision) {
    Run single = mnist(new CpuOps(2));
    Run cpu = precision == Precision.FP32 ? single : mnist(new CpuOps(2, precision));
    double limit =
        precision == Precision.FP32 ? 1e-9 : CudaTraining.normalisedError(single, cpu) / 100;
    var large = EmulatedOptions.of(EmulatedPolicy.LATEST).withMultiprocessors(132);
    for (StepKind step : roundingSteps()) {
      var options = CudaOptions.layered(Multiplier.PTX, FeedKind.PINNED, Launching.GRAPH);
      var ops = new CudaOps(new EmulatedDriver(large), options.with(step).with(precision));
      double error = CudaTraining.normalisedError(cpu, mnist(ops));
      assertTrue(error <= limit, step + ": normalised mean squared error: " + error);
    }
  }

  @Override
  CudaDriver open() {
    return new EmulatedDriver(EmulatedPolicy.LATEST);
  }
}
