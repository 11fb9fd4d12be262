package mlpcuda.train;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.Random;
import mlpcuda.compute.Activation;
import mlpcuda.compute.AdamSettings;
import mlpcuda.compute.Ops;
import mlpcuda.compute.OptimizerSettings;
import mlpcuda.data.ExampleSet;
import mlpcuda.data.PixelScaling;
import mlpcuda.data.Scaling;
import mlpcuda.net.Augmentation;
import mlpcuda.net.Batches;
import mlpcuda.net.MlpShape;
import mlpcuda.net.Optimizer;
import mlpcuda.net.Parameters;
import mlpcuda.net.Regularisation;
import mlpcuda.net.Step;

/** The results of a run: what it told its listener, and what it left. */
final class Run implements Trainer.Listener {
  final List<Trainer.StepResult> steps = new ArrayList<>();
  final List<Trainer.EpochResult> epochs = new ArrayList<>();
  final List<Integer> batches = new ArrayList<>();
  List<float[]> weights;
  Score answers;
  OptionalInt nodes;
  List<float[]> gradients; // the last step's, as the optimizer used them; empty if it was fused
  List<float[]> best;
  float[] lossScale; // the state; empty where there is none

  // The settings of learning, where they are not those of plain Adam.
  Regularisation regularisation = Regularisation.NONE;
  OptimizerSettings optimizer = AdamSettings.DEFAULT;
  double clip;
  float[] firstLossScale; // null: the state before the first step
  List<float[]> firstWeights; // null: the seed's
  ExampleSet validation;
  Augmentation augmentation; // null: images are not distorted

  @Override
  public void epochBegins(int epoch, int count) {
    batches.add(count);
  }

  @Override
  public void stepDone(Trainer.StepResult result) {
    steps.add(result);
  }

  @Override
  public void epochDone(Trainer.EpochResult result) {
    epochs.add(result);
  }

  double[] losses() {
    return steps.stream().mapToDouble(Trainer.StepResult::loss).toArray();
  }

  /** Trains on {@code train}, then evaluates {@code test}; closes {@code ops}. */
  Run of(
      Ops ops,
      MlpShape shape,
      Scaling scaling,
      ExampleSet train,
      ExampleSet test,
      double rate,
      Trainer.Settings settings) {
    int B = Math.min(settings.course().batchSize(), train.size());
    var rated = withRate(settings, rate);
    try (ops;
        var parameters = new Parameters(ops, shape);
        Batches examples =
            batches(
                parameters,
                train,
                scaling,
                B,
                ops.stepsAtOnce(Step.needs(shape, B, clip > 0, train.weights().isPresent())));
        var moves = new Optimizer(parameters, optimizer, clip);
        var step = new Step(moves, examples, regularisation, (train.size() - 1) / B + 1);
        Evaluator evaluator =
            validation == null ? null : new Evaluator(parameters, validation, scaling, B)) {
      parameters.initialise(settings.seed());
      if (firstWeights != null) {
        parameters.write(firstWeights);
      }
      List<Trainer.Listener> listeners = List.of(this);
      var trainer =
          new Trainer(rated, step, parameters, train.size(), evaluator, listeners, () -> false);
      if (firstLossScale != null) {
        step.resume(0, firstLossScale);
      }
      trainer.run();
      best = trainer.best();
      gradients = parameters.readGradients();
      nodes = step.nodes();
      lossScale = step.lossScale();
      weights = parameters.read();
      answers = Evaluator.evaluate(parameters, test, scaling, B);
    }
    assertEquals(0, ops.liveBytes());
    return this;
  }

  private Batches batches(
      Parameters parameters, ExampleSet train, Scaling scaling, int B, int atOnce) {
    return augmentation == null
        ? new Batches(parameters, train, scaling, B, atOnce)
        : new Batches(parameters, train, (PixelScaling) scaling, B, atOnce, augmentation, 11);
  }

  /** Settings without schedule, early stopping or checkpoints; the rate is given to the run. */
  static Trainer.Settings settings(
      int epochs, int batchSize, boolean shuffle, long seed, int maxSteps, int logInterval) {
    // The rate of 1 is a place that withRate fills.
    return new Trainer.Settings(
        new Course(epochs, maxSteps, batchSize, shuffle),
        new LearningRate(1, new Schedule.Constant(), 0),
        Selection.NONE,
        logInterval,
        0,
        seed);
  }

  private static Trainer.Settings withRate(Trainer.Settings s, double rate) {
    return new Trainer.Settings(
        s.course(),
        new LearningRate(rate, s.rate().schedule(), s.rate().warmup()),
        s.selection(),
        s.logInterval(),
        s.checkpointEvery(),
        s.seed());
  }

  /** A network of 784 pixels, {@code hidden} layers and 10 classes. */
  static MlpShape mnistShape(Integer... hidden) {
    var sizes = new ArrayList<>(List.of(784));
    sizes.addAll(List.of(hidden));
    sizes.add(10);
    return new MlpShape(sizes, Activation.RELU, Activation.NONE);
  }

  /** {@code n} images of 2 × 3 pixels, whose class, of 3, shows in their pixels. */
  static ExampleSet easyImages(int n) {
    var random = new Random(n);
    byte[] pixels = new byte[n * 6];
    byte[] labels = new byte[n];
    for (int i = 0; i < n; i++) {
      labels[i] = (byte) random.nextInt(3);
      for (int p = 0; p < 6; p++) {
        pixels[6 * i + p] = (byte) (random.nextInt(100) + (p / 2 == labels[i] ? 150 : 0));
      }
    }
    return ExampleSet.images(2, 3, pixels, labels);
  }

  /** Runs a small network that learns {@link #easyImages}. */
  static Run easy(Ops ops, int n, double rate, Trainer.Settings settings) {
    return new Run().onEasyImages(ops, n, rate, settings);
  }

  /** {@link #easy} with this run's settings of learning. */
  Run onEasyImages(Ops ops, int n, double rate, Trainer.Settings settings) {
    var shape = new MlpShape(List.of(6, 5, 3), Activation.RELU, Activation.NONE);
    var unit = new PixelScaling("unit", 0, 1);
    return of(ops, shape, unit, easyImages(n), easyImages(50), rate, settings);
  }

  /**
   * Runs with every option at once: dropout, label smoothing, AdamW with weight decay, clipped
   * gradients, a warm-up and one cycle, and a validation set whose best epoch is kept.
   */
  static Run ofEverything(Ops ops) {
    return ofEverything(ops, 0.5);
  }

  /** {@link #ofEverything(Ops)} with another limit of the gradients' norm; 0: there is none. */
  static Run ofEverything(Ops ops, double clip) {
    return new Run().onEverything(ops, clip);
  }

  /** {@link #ofEverything(Ops)} with this run's beginning. */
  Run onEverything(Ops ops, double clip) {
    regularisation = new Regularisation(List.of(0.3f, 0.2f), 0.1f, 77);
    optimizer = new AdamSettings(0.9, 0.999, 1e-8, 0.1, true);
    this.clip = clip;
    validation = easyImages(40);
    var settings =
        new Trainer.Settings(
            new Course(6, Course.NO_LIMIT, 16, true),
            new LearningRate(1, new Schedule.OneCycle(), 4),
            new Selection(EarlyStopping.Monitor.LOSS, 5, true),
            1,
            7,
            3);
    var shape = new MlpShape(List.of(6, 16, 9, 3), Activation.RELU, Activation.NONE);
    var unit = new PixelScaling("unit", 0, 1);
    return of(ops, shape, unit, easyImages(75), easyImages(50), 0.03, settings);
  }
}
