package mlpcuda.train;

import java.util.List;
import java.util.Optional;
import mlpcuda.compute.Ops;
import mlpcuda.compute.Resources;
import mlpcuda.data.ExampleSet;
import mlpcuda.data.Scaling;
import mlpcuda.data.View;
import mlpcuda.net.MlpShape;
import mlpcuda.net.Parameters;
import mlpcuda.net.Pass;

/**
 * Evaluates trained networks: one, or several whose probabilities are averaged. The one network's
 * loss and answers are those of an evaluation while it is trained.
 */
public final class NetworkEvaluator implements AutoCloseable {
  private final Resources resources = new Resources();
  private final Scaling scaling;
  private final int batchSize;
  private final int C;
  private final Optional<Parameters> single; // one network; else the mean of several
  private final Optional<AveragedPredictor> mean;
  private final View view; // how the one network sees examples

  /**
   * An evaluation on sets of up to {@code N} examples; the caller closes it.
   *
   * @param passes the networks, of one shape
   * @param batchSize the number of examples evaluated at once, at most
   * @param what the evaluation and the networks' file, for the message
   * @param remedy what makes the need of memory smaller, as the end of a sentence; or empty
   * @throws mlpcuda.error.BadFileException if it needs more memory than is free
   */
  public NetworkEvaluator(
      Ops ops,
      List<Pass> passes,
      Scaling scaling,
      int N,
      int batchSize,
      String what,
      String remedy) {
    MlpShape shape = passes.get(0).weights().shape();
    this.scaling = scaling;
    this.batchSize = batchSize;
    this.C = shape.classes();
    this.view = passes.get(0).view();
    MemoryNeed.ofEvaluation(ops, shape, N, batchSize).check(ops, what, remedy);
    if (passes.size() == 1) {
      var parameters = resources.open(() -> Parameters.forInference(ops, shape));
      resources.attempt(() -> parameters.write(passes.get(0).weights().tensors()));
      single = Optional.of(parameters);
      mean = Optional.empty();
    } else {
      int most = Math.min(batchSize, N);
      single = Optional.empty();
      mean =
          Optional.of(
              resources.open(() -> new AveragedPredictor(ops, passes, scaling, most, what)));
    }
  }

  /** Evaluates a set. */
  public Score run(ExampleSet set) {
    return run(set, Optional.empty());
  }

  /**
   * Evaluates a set.
   *
   * @param answers filled with the answer to each example; empty: they are not wanted
   */
  public Score run(ExampleSet set, Optional<Predictions> answers) {
    if (mean.isPresent()) {
      return averaged(mean.get(), set, answers);
    }
    try (var evaluator = new Evaluator(single.orElseThrow(), view.of(set), scaling, batchSize)) {
      return evaluator.run(answers);
    }
  }

  private Score averaged(
      AveragedPredictor predictor, ExampleSet set, Optional<Predictions> answers) {
    long[][] confusion = new long[C][C];
    double loss = 0;
    for (int from = 0; from < set.size(); from += batchSize) {
      int n = Math.min(batchSize, set.size() - from);
      float[][] logs = predictor.logProbabilities(set.features(), from, n);
      for (int i = 0; i < n; i++) {
        int label = set.label(from + i);
        int answer = Evaluator.largest(logs[i], 0, C);
        loss -= logs[i][label];
        confusion[label][answer]++;
        if (answers.isPresent()) {
          answers.get().put(from + i, answer, logs[i], 0, C);
        }
      }
    }
    return new Score(loss / set.size(), confusion);
  }

  @Override
  public void close() {
    resources.close();
  }
}
