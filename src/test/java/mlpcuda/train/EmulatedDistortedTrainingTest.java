package mlpcuda.train;

import java.util.List;
import mlpcuda.compute.cuda.CudaDriver;
import mlpcuda.compute.cuda.CudaOps;
import mlpcuda.compute.cuda.CudaOptions.FeedKind;
import mlpcuda.compute.cuda.CudaOptions.Launching;
import mlpcuda.compute.cuda.CudaOptions.StepKind;
import mlpcuda.compute.cuda.emulator.EmulatedDriver;
import mlpcuda.compute.cuda.emulator.EmulatedPolicy;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Tests runs on distorted images on the interpreter. */
class EmulatedDistortedTrainingTest extends DistortedTraining {
  @Override
  CudaDriver open() {
    return new EmulatedDriver(EmulatedPolicy.LATEST);
  }

  @Override
  @Test
  @Tag("long")
  void anyNumberOfStepsAtOnceMakesTheSameBits() {
    super.anyNumberOfStepsAtOnceMakesTheSameBits();
  }

  /** The images of later steps are distorted on another stream than that of the steps. */
  @Test
  void anyOrderOfWorkMakesTheSameBits() {
    for (StepKind step : List.of(StepKind.FUSED, StepKind.PERSISTENT)) {
      var options = options(step, FeedKind.AUTO, Launching.GRAPH).withStepsAtOnce(2);
      Run expected = run(new CudaOps(open(), options));
      for (var policy : List.of(EmulatedPolicy.EAGER, EmulatedPolicy.random(1))) {
        Run found = run(new CudaOps(new EmulatedDriver(policy), options));
        CudaTraining.assertSameBits(expected, found, step + ", " + policy);
      }
    }
  }
}
