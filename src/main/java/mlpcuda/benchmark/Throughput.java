package mlpcuda.benchmark;

import java.util.Arrays;
import java.util.List;
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
import mlpcuda.train.Answers;
import mlpcuda.train.Evaluator;

/**
 * How fast a device trains and evaluates a network, once its answer has been held against the
 * reference.
 *
 * @param set images of the network's size, as many as the largest batch at least
 */
public record Throughput(Ops ops, MlpShape shape, ImageSet set, Scaling scaling) {
  /** The largest error of a {@link Result}: single precision stays far below. */
  public static final double LIMIT = 1e-9;

  /** Examples that the reference, which is slow, is given. */
  private static final int CHECKED = 256;

  private static final int READ_EVERY = 100; // steps, as the trainer does
  private static final long SEED = 1;

  /** What is measured. */
  public enum Work {
    /** Steps: gather, forward, loss, backward, Adam. */
    TRAINING,
    /** Answers to images: gather, forward, loss, and the logits read. */
    INFERENCE
  }

  /**
   * What was measured.
   *
   * @param batch images of a batch
   * @param error normalised mean squared error against the reference: of a step's gradients, or of
   *     its loss if that is larger; of the answers' probabilities
   * @param timing of a batch; null where the error passes {@link #LIMIT}
   */
  public record Result(Work work, int batch, double error, Timing timing) {
    /** Images a second, of the median. */
    public double imagesPerSecond() {
      return batch / timing.median();
    }
  }

  /** Measures one kind of work in batches of {@code B}; {@code B} at most the set's size. */
  public Result measure(Work work, int B, Timing.Plan plan) {
    double error = work == Work.TRAINING ? trainingError(B) : inferenceError(B);
    if (!(error <= LIMIT)) { // nor NaN
      return new Result(work, B, error, null);
    }
    return new Result(work, B, error, work == Work.TRAINING ? train(B, plan) : infer(B, plan));
  }

  /** Multiplications and additions of a batch. */
  public double flops(Work work, int B) {
    double products = 0;
    for (int l = 0; l < shape.layers(); l++) {
      double product = 2.0 * B * shape.inputs(l) * shape.outputs(l);
      // Backward: gradients of the weights, and of the inputs but for the first layer's.
      products += work == Work.INFERENCE ? product : l == 0 ? 2 * product : 3 * product;
    }
    return products;
  }

  /** Bytes that a batch reads and writes, each buffer counted when an operation passes it. */
  public double bytes(Work work, int B) {
    double parameters = shape.parameters();
    double values = 0; // of a batch's activations
    for (int l = 0; l < shape.layers(); l++) {
      values += (double) B * shape.outputs(l);
    }
    double inputs = (double) B * shape.inputs();
    if (work == Work.INFERENCE) { // pixels; x written and read; a written and read
      return inputs + 4 * (2 * inputs + parameters + 2 * values);
    }
    // x is read twice, weights too; gradients are written and Adam passes seven arrays; activations
    // are written, read by the next layer and by both gradients; their gradients likewise.
    return inputs + 4 * (3 * inputs + (2 + 1 + 7) * parameters + (4 + 4) * values);
  }

  /** Operations that a batch asks for. */
  public int operations(Work work) {
    int layers = shape.layers();
    return work == Work.INFERENCE ? 2 + layers : 4 + 2 * layers;
  }

  // ---- against the reference

  /**
   * Examples whose mean is that of a batch which repeats them: gradients and losses are means, so
   * the reference need not see all of a large batch.
   */
  private static int distinct(int B) {
    int n = Math.min(B, CHECKED);
    while (B % n != 0) {
      n--;
    }
    return n >= CHECKED / 8 ? n : B; // a batch that is hardly divisible is checked as it is
  }

  private record FirstStep(double loss, List<float[]> gradients) {}

  private double trainingError(int B) {
    int n = distinct(B);
    FirstStep found = step(ops, B, n);
    FirstStep expected;
    try (Ops reference = new ReferenceOps()) {
      expected = step(reference, n, n);
    }
    double difference = 0;
    double size = 0;
    for (int t = 0; t < expected.gradients.size(); t++) {
      float[] of = expected.gradients.get(t);
      for (int i = 0; i < of.length; i++) {
        double d = (double) found.gradients.get(t)[i] - of[i];
        difference += d * d;
        size += (double) of[i] * of[i];
      }
    }
    double ofLoss = (found.loss - expected.loss) / expected.loss;
    return Math.max(difference / size, ofLoss * ofLoss);
  }

  /** The first step with a batch of {@code B} that repeats the first {@code n} examples. */
  private FirstStep step(Ops on, int B, int n) {
    try (var learner = new Learner(on, B)) {
      int[] order = new int[B];
      for (int i = 0; i < B; i++) {
        order[i] = i % n;
      }
      learner.step.begin(order, 0, new float[] {0});
      learner.step.run(B);
      double loss = learner.step.readLog()[0] / (double) B;
      return new FirstStep(loss, learner.parameters.readGradients());
    }
  }

  private double inferenceError(int B) {
    int n = distinct(B);
    float[] found = probabilities(ops, repeated(n, B), B);
    float[] expected;
    try (Ops reference = new ReferenceOps()) {
      expected = probabilities(reference, repeated(n, n), n);
    }
    double difference = 0;
    double size = 0;
    for (int i = 0; i < B; i++) {
      double d = (double) found[i] - expected[i % n];
      difference += d * d;
      size += (double) expected[i % n] * expected[i % n];
    }
    return difference / size;
  }

  /** Of the answers of a network that has learnt nothing yet. */
  private float[] probabilities(Ops on, ImageSet images, int B) {
    var answers = new Answers(images.size());
    try (var parameters = new Parameters(on, shape)) {
      parameters.initialise(SEED);
      try (var evaluator = new Evaluator(on, shape, parameters, images, scaling, B)) {
        evaluator.run(answers);
      }
    }
    return answers.probabilities();
  }

  /** The first {@code n} images, one round after another, {@code B} in all. */
  private ImageSet repeated(int n, int B) {
    int each = set.pixelsPerImage();
    byte[] pixels = new byte[B * each];
    byte[] labels = new byte[B];
    for (int i = 0; i < B; i++) {
      System.arraycopy(set.pixels(), i % n * each, pixels, i * each, each);
      labels[i] = set.labels()[i % n];
    }
    return new ImageSet(set.rows(), set.cols(), pixels, labels);
  }

  // ---- the clock

  private Timing train(int B, Timing.Plan plan) {
    int perEpoch = set.size() / B;
    int[] order = ExampleOrder.shuffled(set.size(), SEED, 1);
    float[] rates = new float[perEpoch];
    Arrays.fill(rates, 1e-3f);
    try (var learner = new Learner(ops, B)) {
      var left = new int[1]; // steps of the epoch
      return Timing.of(
          plan,
          steps -> {
            for (int i = 1; i <= steps; i++) {
              if (left[0] == 0) {
                learner.step.begin(order, 0, rates);
                left[0] = perEpoch;
              }
              learner.step.run(B);
              left[0]--;
              if (i % READ_EVERY == 0 || left[0] == 0 || i == steps) {
                learner.step.readLog(); // waits
              }
            }
          });
    }
  }

  private Timing infer(int B, Timing.Plan plan) {
    int batches = Math.max(1, Math.min(set.size(), 10_000) / B);
    ImageSet images = set.first(batches * B);
    try (var parameters = new Parameters(ops, shape)) {
      parameters.initialise(SEED);
      try (var evaluator = new Evaluator(ops, shape, parameters, images, scaling, B)) {
        Timing all =
            Timing.of(
                plan,
                runs -> {
                  for (int i = 0; i < runs; i++) {
                    evaluator.run();
                  }
                });
        return new Timing(all.median() / batches, all.min() / batches, all.max() / batches);
      }
    }
  }

  /** A network with what it learns with. */
  private final class Learner implements AutoCloseable {
    final Parameters parameters;
    final Step step;
    private final Mlp mlp;
    private final Examples examples;
    private final Optimizer optimizer;

    Learner(Ops on, int B) {
      parameters = new Parameters(on, shape);
      parameters.initialise(SEED);
      mlp = Mlp.forTraining(on, shape, parameters, B, Regularisation.NONE);
      examples =
          new Examples(on, shape, set.pixels(), set.labels(), B, scaling.scale(), scaling.shift());
      optimizer = new Optimizer(on, parameters, AdamSettings.DEFAULT, 0);
      step = new Step(on, mlp, optimizer, examples, Math.max(1, set.size() / B));
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
}
