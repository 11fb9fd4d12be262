package mlpcuda.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import mlpcuda.compute.Distortion;
import mlpcuda.compute.Ops;
import mlpcuda.compute.cpu.CpuOps;
import mlpcuda.compute.cuda.CudaDriver;
import mlpcuda.compute.cuda.CudaOps;
import mlpcuda.compute.cuda.CudaOptions;
import mlpcuda.compute.cuda.CudaOptions.FeedKind;
import mlpcuda.compute.cuda.CudaOptions.Launching;
import mlpcuda.compute.cuda.CudaOptions.Multiplier;
import mlpcuda.compute.cuda.CudaOptions.StepKind;
import mlpcuda.net.Augmentation;
import org.junit.jupiter.api.Test;

/** Tests runs on images that are distorted anew in each epoch, on a GPU that a subclass opens. */
abstract class DistortedTraining {
  /** Three epochs of five batches, the last of which is smaller. */
  private static final Trainer.Settings SETTINGS =
      Run.settings(3, 16, true, 3, Integer.MAX_VALUE, 1);

  private static final Augmentation ALL =
      new Augmentation(
          Distortion.parse("elastic:3:0.7,rotate:20,shear:5,scale:15,translate:0.5,erase:0.3"),
          0.25f);

  /** Opens a device that no other test uses, of four multiprocessors at least. */
  abstract CudaDriver open();

  static Run run(Ops ops) {
    var run = new Run();
    run.augmentation = ALL;
    return run.onEasyImages(ops, 75, 0.01, SETTINGS);
  }

  static CudaOptions options(StepKind step, FeedKind feed, Launching launching) {
    return CudaOptions.layered(Multiplier.PTX, feed, launching).with(step);
  }

  private Run run(CudaOptions options) {
    return run(new CudaOps(open(), options));
  }

  @Test
  void everyKindOfStepLearnsWhatTheCpuLearns() {
    Run cpu = run(new CpuOps(1));
    assertEquals(15, cpu.steps.size());
    for (StepKind step : List.of(StepKind.LAYERED, StepKind.FUSED, StepKind.PERSISTENT)) {
      Run gpu = run(options(step, FeedKind.AUTO, Launching.GRAPH));
      assertArrayEquals(cpu.losses(), gpu.losses(), 1e-5, step + ": losses");
      double error = CudaTraining.normalisedError(cpu, gpu);
      assertTrue(error <= 1e-9, step + ": normalised mean squared error of the weights: " + error);
    }
    Run undistorted = Run.easy(new CpuOps(1), 75, 0.01, SETTINGS);
    assertNotEquals(undistorted.losses()[0], cpu.losses()[0], 1e-3, "no image is distorted");
  }

  @Test
  void feedsAndGraphsMakeTheSameBits() {
    for (StepKind step : List.of(StepKind.LAYERED, StepKind.FUSED, StepKind.PERSISTENT)) {
      Run expected = run(options(step, FeedKind.RESIDENT, Launching.SINGLE));
      for (FeedKind feed : List.of(FeedKind.RESIDENT, FeedKind.PINNED)) {
        CudaOptions options = options(step, feed, Launching.GRAPH);
        CudaTraining.assertSameBits(expected, run(options), options.toString());
      }
      CudaOptions checked = options(step, FeedKind.PINNED, Launching.CHECKED);
      CudaTraining.assertSameBits(expected, run(checked), "--sync-check");
    }
  }

  @Test
  void anyNumberOfStepsAtOnceMakesTheSameBits() {
    for (StepKind step : List.of(StepKind.LAYERED, StepKind.FUSED, StepKind.PERSISTENT)) {
      CudaOptions options = options(step, FeedKind.RESIDENT, Launching.GRAPH);
      Run expected = run(options.withStepsAtOnce(1));
      CudaTraining.assertSameBits(expected, run(options.withStepsAtOnce(3)), step.toString());
    }
  }
}
