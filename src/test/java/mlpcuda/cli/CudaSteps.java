package mlpcuda.cli;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import mlpcuda.compute.Activation;
import mlpcuda.compute.AdamSettings;
import mlpcuda.compute.OptimizerSettings;
import mlpcuda.compute.Precision;
import mlpcuda.compute.SgdSettings;
import mlpcuda.compute.cuda.CudaDriver;
import mlpcuda.compute.cuda.CudaOps;
import mlpcuda.compute.cuda.CudaOptions;
import mlpcuda.compute.cuda.CudaOptions.FeedKind;
import mlpcuda.compute.cuda.CudaOptions.Launching;
import mlpcuda.compute.cuda.CudaOptions.Multiplier;
import mlpcuda.compute.cuda.CudaOptions.StepKind;
import mlpcuda.conformance.AmbiguousReluCounter;
import mlpcuda.data.EmbeddedMnist;
import mlpcuda.data.ExampleSet;
import mlpcuda.data.PixelScaling;
import mlpcuda.net.MlpShape;
import mlpcuda.net.Regularisation;
import mlpcuda.train.Learner;
import mlpcuda.train.TrainingSetup;
import mlpcuda.train.Update;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Judges steps on the GPU that a subclass opens as {@code compare} does: each begins where the
 * device is, so that what rounding does to one step does not add up.
 */
abstract class CudaSteps {
  private static final ExampleSet IMAGES = EmbeddedMnist.load().train().first(320);

  /** Opens a device that no other test uses. */
  abstract CudaDriver open();

  /** The number of steps of a training that are judged. */
  abstract int steps();

  static TrainingSetup training(
      List<Integer> sizes, Regularisation regularisation, OptimizerSettings optimizer) {
    return new TrainingSetup(
        new MlpShape(sizes, Activation.RELU, Activation.NONE),
        IMAGES,
        PixelScaling.of("z-score", IMAGES),
        16,
        new Update(optimizer, 0, regularisation),
        1e-3,
        1);
  }

  private static List<TrainingSetup> trainings() {
    var drops = new Regularisation(List.of(0.3f, 0.2f), 0.1f, 77);
    return List.of(
        training(List.of(784, 16, 9, 10), Regularisation.NONE, AdamSettings.DEFAULT),
        training(List.of(784, 16, 9, 10), drops, new AdamSettings(0.9, 0.999, 1e-8, 0.1, true)),
        training(List.of(784, 12, 10), Regularisation.NONE, new SgdSettings(0.9, true, 0.01)));
  }

  final List<StepCheck> checks(CudaDriver driver, CudaOptions options, TrainingSetup training) {
    try (var ops = new CudaOps(driver, options);
        var here = new Learner(ops, training);
        var reference = new AmbiguousReluCounter(ops.precision());
        var there = new Learner(reference, training)) {
      return StepCheck.run(here, there, reference::ambiguous, steps(), ops.precision());
    }
  }

  @ParameterizedTest
  @EnumSource(Precision.class)
  void stepsAreTheReferences(Precision precision) {
    List<StepKind> steps =
        precision == Precision.FP32
            ? List.of(StepKind.LAYERED, StepKind.FUSED, StepKind.PERSISTENT)
            : List.of(StepKind.LAYERED, StepKind.FUSED);
    for (StepKind step : steps) {
      FeedKind feed = step == StepKind.PERSISTENT ? FeedKind.RESIDENT : FeedKind.PINNED;
      var options =
          CudaOptions.layered(Multiplier.PTX, feed, Launching.GRAPH).with(precision).with(step);
      long judged = 0;
      for (TrainingSetup training : trainings()) {
        List<StepCheck> checks = checks(open(), options, training);
        checks.forEach(
            check -> assertTrue(check.passed(), options + " " + training + ": " + check));
        judged += checks.stream().filter(StepCheck::judged).count();
      }
      assertTrue(judged >= steps(), step + ": a third or more is judged, found " + judged);
    }
  }
}
