package mlpcuda.train;

import java.util.Optional;
import mlpcuda.compute.Buffer;
import mlpcuda.compute.Buffer.Type;
import mlpcuda.compute.Ops;
import mlpcuda.compute.Resources;
import mlpcuda.data.ExampleSet;
import mlpcuda.data.Scaling;
import mlpcuda.net.Batches;
import mlpcuda.net.Parameters;

/** Evaluates a network on a set of examples, as often as wanted. */
public final class Evaluator implements AutoCloseable {
  private final Resources resources = new Resources();
  private final Ops ops;
  private final byte[] labels;
  private final int C;
  private final Inference inference;
  private final Buffer log; // (batches, 2)

  /**
   * An evaluation of the network that {@code parameters} hold whenever {@link #run} is called, in
   * batches of up to {@code batchSize}; the caller closes it. All examples count the same, whatever
   * their weights.
   */
  public Evaluator(Parameters parameters, ExampleSet set, Scaling scaling, int batchSize) {
    this.ops = parameters.ops();
    this.labels = set.labels();
    this.C = parameters.shape().classes();
    int largest = Math.min(batchSize, set.size());
    var unweighted = new ExampleSet(set.layout(), set.features(), set.labels(), Optional.empty());
    var examples = resources.open(() -> new Batches(parameters, unweighted, scaling, largest, 1));
    this.inference = resources.open(() -> new Inference(parameters, examples));
    this.log = resources.open(() -> ops.allocate("log", Type.FLOAT32, 2 * inference.batches()));
  }

  /** Evaluates a network once. */
  public static Score evaluate(
      Parameters parameters, ExampleSet set, Scaling scaling, int batchSize) {
    try (var evaluator = new Evaluator(parameters, set, scaling, batchSize)) {
      return evaluator.run();
    }
  }

  /** Evaluates the network as it is now. */
  public Score run() {
    return run(Optional.empty());
  }

  /**
   * Evaluates the network as it is now.
   *
   * @param answers filled with the answer to each example; empty: they are not wanted
   */
  public Score run(Optional<Predictions> answers) {
    long[][] confusion = new long[C][C];
    inference.run(
        labels.length,
        (step, size) -> {
          inference.loss(log, step, size);
          return inference.logits();
        },
        (from, size, logits) -> {
          for (int b = 0; b < size; b++) {
            int answer = largest(logits, b * C, C);
            confusion[Byte.toUnsignedInt(labels[from + b])][answer]++;
            if (answers.isPresent()) {
              answers.get().put(from + b, answer, logits, b * C, C);
            }
          }
        });
    return new Score(loss() / labels.length, confusion);
  }

  /** The sum of all examples' losses. */
  private double loss() {
    float[] sums = new float[log.length()];
    ops.read(log, sums);
    double loss = 0;
    for (int batch = 0; batch < inference.batches(); batch++) {
      loss += sums[2 * batch];
    }
    return loss;
  }

  /** The answer: the class of the largest logit, the first of equals. */
  static int largest(float[] logits, int from, int C) {
    int largest = 0;
    for (int c = 1; c < C; c++) {
      if (logits[from + c] > logits[from + largest]) {
        largest = c;
      }
    }
    return largest;
  }

  @Override
  public void close() {
    resources.close();
  }
}
