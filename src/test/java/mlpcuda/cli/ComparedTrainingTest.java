package mlpcuda.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;

import java.util.Arrays;
import java.util.List;
import mlpcuda.compute.Activation;
import mlpcuda.compute.AdamSettings;
import mlpcuda.data.ExampleSet;
import mlpcuda.data.PixelScaling;
import mlpcuda.net.MlpShape;
import mlpcuda.net.Regularisation;
import mlpcuda.train.TrainingSetup;
import mlpcuda.train.Update;
import org.junit.jupiter.api.Test;

class ComparedTrainingTest {
  private static final int EXAMPLES = 100;

  private static TrainingSetup training(int B, float dropout, Integer... sizes) {
    var set = ExampleSet.images(1, sizes[0], new byte[EXAMPLES * sizes[0]], new byte[EXAMPLES]);
    var drops = new Regularisation(List.of(dropout), 0, 1);
    return new TrainingSetup(
        new MlpShape(Arrays.asList(sizes), Activation.RELU, Activation.NONE),
        set,
        new PixelScaling("unit", 0, 1),
        Math.min(B, EXAMPLES),
        new Update(AdamSettings.DEFAULT, 0, drops),
        1e-3,
        1);
  }

  private static List<Integer> batches(int B, float dropout, Integer... sizes) {
    var both = ComparedTraining.of(training(B, dropout, sizes), B);
    assertEquals(both.device().B(), both.device().set().size(), "one batch an epoch");
    return List.of(both.device().B(), both.reference().B());
  }

  @Test
  void aBatchRepeatsExamplesWhereTheSetOrTheReferenceNeedsIt() {
    TrainingSetup small = training(64, 0, 20, 9, 4);
    assertSame(small, ComparedTraining.of(small, 64).device());
    assertFalse(ComparedTraining.of(small, 64).repeats());
    assertEquals(List.of(128, 64), batches(128, 0, 20, 9, 4));
    assertEquals(List.of(65536, 8), batches(65536, 0, 784, 2500, 2000, 10), "few ReLUs at 0");
    assertEquals(List.of(65536, 32), batches(65536, 0, 784, 1000, 500, 10), "few ReLUs at 0");
    assertEquals(List.of(100, 100), batches(101, 0, 20, 9, 4), "a prime");
    assertEquals(List.of(100, 100), batches(128, 0.5f, 20, 9, 4), "a mask for each place");
  }

  /** The default network in batches of 64 has 4e7 operations a step. */
  @Test
  void theReferencesStepsTakeAMinuteAtMost() {
    assertEquals(100, ComparedTraining.of(training(64, 0, 784, 128, 64, 10), 64).affordableSteps());
    var large = ComparedTraining.of(training(100, 0, 784, 2500, 2000, 10), 100);
    assertEquals(10, large.reference().B());
    assertEquals(71, large.affordableSteps());
    var dropped = ComparedTraining.of(training(100, 0.5f, 784, 9000, 9000, 10), 100);
    assertEquals(1, dropped.affordableSteps());
  }
}
