package mlpcuda.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import mlpcuda.compute.cpu.CpuOps;
import mlpcuda.data.ExampleSet;
import mlpcuda.net.Regularisation;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Tests the effects of dropout, label smoothing, clipping and a validation set on a run. */
class LearningTest {
  private static final Trainer.Settings FOUR_EPOCHS =
      Run.settings(4, 16, true, 3, Integer.MAX_VALUE, 1);

  private static double norm(List<float[]> tensors) {
    double squares = 0;
    for (float[] tensor : tensors) {
      for (float value : tensor) {
        squares += (double) value * value;
      }
    }
    return Math.sqrt(squares);
  }

  private static Run clipped(double limit, int steps) {
    var run = new Run();
    run.clip = limit;
    return run.onEasyImages(new CpuOps(1), 75, 0.01, Run.settings(9, 16, true, 3, steps, 1));
  }

  /** The gradients that the optimizer used are clipped. */
  @Test
  void clippedGradientsHaveTheNormOfTheLimitOrLess() {
    for (int steps : new int[] {1, 2, 20}) {
      double before = norm(clipped(0, steps).gradients);
      double below = norm(clipped(1e6, steps).gradients);
      assertEquals(before, below, "a limit that is never met");
      double limit = 0.01;
      assertTrue(before > 5 * limit, "norm " + before);
      double after = norm(clipped(limit, steps).gradients);
      assertEquals(limit, after, 1e-5 * limit); // PyTorch divides by the norm + 1e-6
    }
    assertNotEquals(clipped(0, 20).losses()[19], clipped(0.01, 20).losses()[19]);
  }

  private static Run regularised(
      float dropout, float smoothing, int epochs, ExampleSet validation) {
    var run = new Run();
    run.regularisation = new Regularisation(List.of(dropout), smoothing, 5);
    run.validation = validation;
    var settings = Run.settings(epochs, 16, true, 3, Integer.MAX_VALUE, 1);
    return run.onEasyImages(new CpuOps(1), 75, 0.01, settings);
  }

  /** The validation set after the last epoch is the set that is evaluated in the end. */
  @ParameterizedTest
  @CsvSource({"0, 0", "0.4, 0", "0, 0.3", "0.4, 0.3"})
  void evaluationKnowsNothingOfDropoutAndSmoothing(float dropout, float smoothing) {
    Run run = regularised(dropout, smoothing, 4, Run.easyImages(50));
    assertEquals(run.answers.loss(), run.epochs.get(3).validation().orElseThrow().loss());
    assertEquals(run.answers.accuracy(), run.epochs.get(3).validation().orElseThrow().accuracy());
    Run unseen = regularised(dropout, smoothing, 4, null);
    assertArrayEquals(unseen.losses(), run.losses(), "the validation set changes nothing");
    // The loss of the answers is −log of the right class's probability, whatever training
    // minimised.
    Run plain = regularised(0, 0, 0, null);
    Run untrained = regularised(dropout, smoothing, 0, null);
    assertEquals(plain.answers.loss(), untrained.answers.loss());
  }

  /**
   * Both dropout and smoothing are in the loss of training, here of the first step, whose weights
   * are the same.
   */
  @Test
  void trainingReportsTheLossThatItLowers() {
    double plain = regularised(0, 0, 1, null).losses()[0];
    assertNotEquals(plain, regularised(0.4f, 0, 1, null).losses()[0], 1e-3);
    double tenth = regularised(0, 0.1f, 1, null).losses()[0] - plain;
    double fifth = regularised(0, 0.2f, 1, null).losses()[0] - plain;
    assertTrue(Math.abs(tenth) > 1e-3, "smoothing by 0.1 adds " + tenth);
    assertEquals(2 * tenth, fifth, 1e-6, "a mixture of two losses, linear in its share");
    // A network that is sure of its answers pays for that.
    Run sure = regularised(0, 0.3f, 40, null);
    double least = -(0.8 * Math.log(0.8) + 2 * 0.1 * Math.log(0.1)); // entropy of the target
    double last = sure.epochs.get(39).train().loss();
    assertTrue(last > least && last < least + 0.1, "training loss " + last);
    assertTrue(sure.answers.loss() < 0.4, "evaluation " + sure.answers.loss());
  }

  /** Images with the labels of another class: to learn them makes the network worse. */
  private static ExampleSet mislabelled() {
    ExampleSet set = Run.easyImages(40);
    byte[] labels = new byte[set.size()];
    for (int i = 0; i < labels.length; i++) {
      labels[i] = (byte) ((set.labels()[i] + 1) % 3);
    }
    return new ExampleSet(set.layout(), set.features(), labels, Optional.empty());
  }

  private static Run watched(
      ExampleSet validation, Schedule schedule, EarlyStopping.Monitor monitor, int patience) {
    var run = new Run();
    run.validation = validation;
    Trainer.Settings s = FOUR_EPOCHS;
    var settings =
        new Trainer.Settings(
            new Course(12, s.course().maxSteps(), s.course().batchSize(), s.course().shuffle()),
            new LearningRate(1, schedule, 0),
            new Selection(monitor, patience, true),
            s.logInterval(),
            0,
            s.seed());
    return run.onEasyImages(new CpuOps(1), 75, 0.01, settings);
  }

  /** The training loss falls all along, but the validation loss has a plateau. */
  @Test
  void aPlateauIsTheValidationLosss() {
    var reduce = new Schedule.ReduceOnPlateau(0.5, 1);
    var loss = EarlyStopping.Monitor.LOSS;
    Run worse = watched(mislabelled(), reduce, loss, 0);
    double[] losses =
        worse.epochs.stream().mapToDouble(e -> e.validation().orElseThrow().loss()).toArray();
    for (int i = 1; i < losses.length; i++) {
      assertTrue(losses[i] > losses[0], "the first epoch is the best");
    }
    double[] expected = new double[12];
    for (int i = 0; i < 12; i++) {
      expected[i] = 0.01 * Math.pow(0.5, Math.max(0, i - 1) / 2); // the first fall after epoch 3
    }
    assertArrayEquals(expected, rates(worse), 1e-9);
    double[] unchanged = new double[12];
    Arrays.fill(unchanged, 0.01);
    assertArrayEquals(unchanged, rates(watched(null, reduce, loss, 0)), 1e-9, "training loss");
    assertArrayEquals(unchanged, rates(watched(Run.easyImages(40), reduce, loss, 0)), 1e-9);
  }

  private static double[] rates(Run run) {
    return run.epochs.stream().mapToDouble(Trainer.EpochResult::rate).toArray();
  }

  @Test
  void theRunEndsAndTheBestWeightsAreKept() {
    var constant = new Schedule.Constant();
    var loss = EarlyStopping.Monitor.LOSS;
    Run worse = watched(mislabelled(), constant, loss, 3);
    assertEquals(4, worse.epochs.size(), "the first epoch, and three that are worse");
    var settings = Run.settings(1, 16, true, 3, Integer.MAX_VALUE, 1);
    Run one = Run.easy(new CpuOps(1), 75, 0.01, settings);
    for (int t = 0; t < one.weights.size(); t++) {
      assertArrayEquals(one.weights.get(t), worse.best.get(t), "tensor " + t);
    }
    assertEquals(12, watched(Run.easyImages(40), constant, loss, 3).epochs.size());
  }
}
