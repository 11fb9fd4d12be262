package mlpcuda.benchmarks;

import java.util.Arrays;
import java.util.List;
import mlpcuda.compute.Activation;
import mlpcuda.compute.AdamSettings;
import mlpcuda.compute.Ops;
import mlpcuda.compute.cpu.ReferenceOps;
import mlpcuda.data.ExampleOrder;
import mlpcuda.data.ImageSet;
import mlpcuda.data.Scaling;
import mlpcuda.net.Examples;
import mlpcuda.net.Mlp;
import mlpcuda.net.MlpShape;
import mlpcuda.net.Optimizer;
import mlpcuda.net.Parameters;
import mlpcuda.net.Regularisation;
import mlpcuda.net.Step;

/** The default network on a device, learning MNIST's first images batch by batch. */
final class Network implements AutoCloseable {
  private static final MlpShape SHAPE =
      new MlpShape(List.of(784, 128, 64, 10), Activation.RELU, Activation.NONE);
  private static final double LIMIT = 1e-6; // as in compare

  private final int size;
  private final int B;
  private final Parameters parameters;
  private final Mlp mlp;
  private final Examples examples;
  private final Optimizer optimizer;
  private final Step step;
  private int epoch;
  private int left; // batches of the epoch

  Network(Ops ops, ImageSet train, int B) {
    this.size = train.size();
    this.B = B;
    Scaling scaling = Mnist.scaling();
    parameters = new Parameters(ops, SHAPE);
    mlp = Mlp.forTraining(ops, SHAPE, parameters, B, Regularisation.NONE);
    examples =
        new Examples(
            ops, SHAPE, train.pixels(), train.labels(), B, scaling.scale(), scaling.shift());
    optimizer = new Optimizer(ops, parameters, AdamSettings.DEFAULT, 0);
    step = new Step(ops, mlp, optimizer, examples, batches());
    parameters.initialise(1);
  }

  /** Whole batches of an epoch. */
  int batches() {
    return size / B;
  }

  /** Asks for the next step. */
  void run() {
    if (left == 0) {
      left = batches();
      float[] rates = new float[left];
      Arrays.fill(rates, 1e-3f);
      step.begin(ExampleOrder.shuffled(size, 1, ++epoch), 0, rates);
    }
    step.run(B);
    left--;
  }

  /** Waits for all steps; the mean loss of the last one's batch. */
  double loss() {
    float[] rows = step.readLog();
    return rows[rows.length - 2] / (double) B;
  }

  /**
   * Takes the first step, and the reference does.
   *
   * @throws IllegalStateException if they do not agree
   */
  void check(ImageSet train) {
    run();
    double found = loss();
    try (Ops ops = new ReferenceOps();
        var reference = new Network(ops, train, B)) {
      reference.run();
      double expected = reference.loss();
      if (!(Math.abs(found - expected) <= LIMIT * expected)) {
        throw new IllegalStateException(
            "the first loss must be %s, found %s".formatted(expected, found));
      }
    }
  }

  @Override
  public void close() {
    step.close();
    optimizer.close();
    examples.close();
    mlp.close();
    parameters.close();
  }
}
