package mlpcuda.cli;

import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import mlpcuda.compute.Ops;
import mlpcuda.compute.OptimizerSettings;
import mlpcuda.conformance.Conformance;
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

/**
 * Training that devices can be asked to do alike: initial weights, batches and masks are functions
 * of the seed.
 *
 * @param B examples of a step, at most those of {@code train}: an epoch has whole batches alone
 */
record Training(
    MlpShape shape,
    ImageSet train,
    Scaling scaling,
    int B,
    Regularisation regularisation,
    OptimizerSettings optimizer,
    float rate,
    long seed) {
  /** Does {@code work} with a network on that device, which has its initial weights. */
  <T> T on(Ops ops, Function<Learner, T> work) {
    try (var parameters = new Parameters(ops, shape);
        Mlp mlp = Mlp.forTraining(ops, shape, parameters, B, regularisation);
        var examples =
            new Examples(
                ops, shape, train.pixels(), train.labels(), B, scaling.scale(), scaling.shift());
        var moves = new Optimizer(ops, parameters, optimizer, 0);
        var step = new Step(ops, mlp, moves, examples, train.size() / B)) {
      parameters.initialise(seed);
      return work.apply(new Learner(parameters, step));
    }
  }

  /** A network that learns batch by batch, one epoch after another. */
  final class Learner {
    private final Parameters parameters;
    private final Step step;
    private int epoch;
    private int left; // batches of the epoch

    private Learner(Parameters parameters, Step step) {
      this.parameters = parameters;
      this.step = step;
    }

    /** Asks for the next step. */
    void run() {
      if (left == 0) {
        left = train.size() / B;
        float[] rates = new float[left];
        Arrays.fill(rates, rate);
        step.begin(ExampleOrder.shuffled(train.size(), seed, ++epoch), 0, rates);
      }
      step.run(B);
      left--;
    }

    /** Waits for all steps; the mean loss of the last one's batch. */
    double loss() {
      float[] rows = step.readLog();
      return rows[rows.length - 2] / (double) B;
    }

    /** What the next step starts from, but for its number. */
    State state() {
      return new State(parameters.read(), parameters.readState());
    }

    /** Sets it. */
    void start(State state) {
      parameters.write(state.weights);
      parameters.writeState(state.moments);
    }
  }

  /** Weights and what the optimizer keeps, on the host. */
  record State(List<float[]> weights, Parameters.State moments) {
    /** Everything in a row. */
    private static double[] joined(List<float[]> tensors) {
      int length = tensors.stream().mapToInt(tensor -> tensor.length).sum();
      double[] all = new double[length];
      int i = 0;
      for (float[] tensor : tensors) {
        for (float value : tensor) {
          all[i++] = value;
        }
      }
      return all;
    }

    /** Normalised mean squared error of the weights. */
    double weightsError(State expected) {
      return Conformance.normalisedError(joined(weights), joined(expected.weights));
    }

    /** The larger one of the errors of the optimizer's first and second moments. */
    double momentsError(State expected) {
      return Math.max(
          Conformance.normalisedError(joined(moments.m()), joined(expected.moments.m())),
          Conformance.normalisedError(joined(moments.v()), joined(expected.moments.v())));
    }
  }
}
