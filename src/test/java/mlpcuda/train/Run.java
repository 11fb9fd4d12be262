package mlpcuda.train;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.Random;
import mlpcuda.compute.Activation;
import mlpcuda.compute.AdamSettings;
import mlpcuda.compute.Ops;
import mlpcuda.data.ImageSet;
import mlpcuda.data.Scaling;
import mlpcuda.net.Examples;
import mlpcuda.net.Mlp;
import mlpcuda.net.MlpShape;
import mlpcuda.net.Optimizer;
import mlpcuda.net.Parameters;
import mlpcuda.net.Step;

/** What a run told its listener, and what it left. */
final class Run implements Trainer.Listener {
  final List<Trainer.StepResult> steps = new ArrayList<>();
  final List<Trainer.EpochResult> epochs = new ArrayList<>();
  final List<Integer> batches = new ArrayList<>();
  List<float[]> weights;
  Evaluation answers;
  OptionalInt nodes;

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
      ImageSet train,
      ImageSet test,
      double rate,
      Trainer.Settings settings) {
    int B = Math.min(settings.batchSize(), train.size());
    float scale = scaling.scale();
    float shift = scaling.shift();
    try (ops;
        var parameters = new Parameters(ops, shape);
        var mlp = Mlp.forTraining(ops, shape, parameters, B);
        var examples = new Examples(ops, shape, train.pixels(), train.labels(), B, scale, shift);
        var adam = new Optimizer(ops, parameters, AdamSettings.DEFAULT, 0);
        var step = new Step(ops, mlp, adam, examples, (train.size() - 1) / B + 1)) {
      parameters.initialise(settings.seed());
      new Trainer(settings, step, train.size(), rate, List.of(this), () -> false).run();
      nodes = step.nodes();
      weights = parameters.read();
      answers = Evaluation.of(ops, shape, parameters, test, scaling, B);
    }
    assertEquals(0, ops.liveBytes());
    return this;
  }

  /** 784 pixels to 10 classes by way of {@code hidden} layers. */
  static MlpShape mnistShape(Integer... hidden) {
    var sizes = new ArrayList<>(List.of(784));
    sizes.addAll(List.of(hidden));
    sizes.add(10);
    return new MlpShape(sizes, Activation.RELU, Activation.NONE);
  }

  /** {@code n} images of 2 × 3 whose class, of 3, shows in their pixels. */
  static ImageSet easyImages(int n) {
    var random = new Random(n);
    byte[] pixels = new byte[n * 6];
    byte[] labels = new byte[n];
    for (int i = 0; i < n; i++) {
      labels[i] = (byte) random.nextInt(3);
      for (int p = 0; p < 6; p++) {
        pixels[6 * i + p] = (byte) (random.nextInt(100) + (p / 2 == labels[i] ? 150 : 0));
      }
    }
    return new ImageSet(2, 3, pixels, labels);
  }

  /** A small network that learns {@link #easyImages}. */
  static Run easy(Ops ops, int n, double rate, Trainer.Settings settings) {
    var shape = new MlpShape(List.of(6, 5, 3), Activation.RELU, Activation.NONE);
    var unit = new Scaling("unit", 0, 1);
    return new Run().of(ops, shape, unit, easyImages(n), easyImages(50), rate, settings);
  }
}
