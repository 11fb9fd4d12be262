package mlpcuda.train;

import java.util.List;
import java.util.function.BooleanSupplier;
import mlpcuda.compute.LossScale;
import mlpcuda.compute.Ops;
import mlpcuda.compute.Resources;
import mlpcuda.data.ExampleOrder;
import mlpcuda.error.DivergedException;
import mlpcuda.error.StoppedException;
import mlpcuda.net.Parameters;
import mlpcuda.net.Step;

/**
 * One of several copies of a network that learn side by side, each from its own part of a set, as
 * local SGD has it (Stich, "Local SGD converges fast and communicates little", 2019). It takes some
 * steps of its training at a time, from a state that it is given to one that it returns, and what
 * it did before does not matter: the result is a function of the state, the settings and the set.
 */
public final class LocalSteps implements AutoCloseable {
  /** The number of steps after which the losses are read. */
  private static final int READ_EVERY = 100;

  /**
   * The course of the training, which all copies of the network share.
   *
   * @param rate the learning rate
   * @param epochs the number of epochs
   * @param batches the number of steps of an epoch, at most the whole batches of the set
   * @param shuffle whether each epoch has its own order of the examples
   */
  public record Settings(LearningRate rate, int epochs, int batches, boolean shuffle) {
    /** The number of steps of the training. */
    int steps() {
      return Math.multiplyExact(epochs, batches);
    }
  }

  /**
   * The state between two steps.
   *
   * @param weights the weights, in the order of {@link Parameters#tensors}
   * @param moments the optimizer's state
   * @param steps the number of steps that are done
   * @param lossScale {@link LossScale}'s state; empty for that before the first step
   */
  public record State(
      List<float[]> weights, Parameters.State moments, int steps, float[] lossScale) {}

  /**
   * The result of some steps.
   *
   * @param state the state after them
   * @param losses for each step the mean loss of its batch, before its update
   */
  public record Result(State state, float[] losses) {}

  private final Resources resources = new Resources();
  private final Ops ops;
  private final TrainingSetup training;
  private final Settings settings;
  private final Parameters parameters;
  private final Step step;
  private int[] order; // the order of the examples in the epoch orderedFor
  private int orderedFor; // 0: order is not there yet

  /**
   * Prepares a device for the training of a copy; the caller closes it.
   *
   * @param training the copy's examples, in batches that are all whole; its seed decides the order
   *     of the examples, distortions and dropout, and so must be another one for each copy
   * @throws IllegalArgumentException if the set has fewer whole batches than the settings
   */
  public LocalSteps(Ops ops, TrainingSetup training, Settings settings) {
    if (settings.batches < 1 || settings.batches > training.batches()) {
      throw new IllegalArgumentException(
          "an epoch must have from 1 to %d batches, the whole ones of %d examples, found %d"
              .formatted(training.batches(), training.set().size(), settings.batches));
    }
    this.ops = ops;
    this.training = training;
    this.settings = settings;
    parameters =
        resources.open(() -> new Parameters(ops, training.shape(), training.update().ema()));
    step =
        resources.open(() -> new TrainableNetwork(parameters, training, settings.batches)).step();
  }

  /**
   * Takes steps of the training.
   *
   * @param from the state before them
   * @param count the number of steps, at most those that the training has left
   * @param stop asked before each step whether to end
   * @throws DivergedException if a loss or a weight is not finite, or gradients are not, whatever
   *     their scale
   * @throws StoppedException if told to stop
   */
  public Result run(State from, int count, BooleanSupplier stop) {
    begin(from);
    float[] losses = new float[count];
    int done = 0;
    while (done < count) {
      int at = from.steps + done;
      int batch = at % settings.batches;
      int end = done + Math.min(settings.batches - batch, count - done);
      beginEpoch(at / settings.batches + 1, batch, rates(at, end - done));
      while (done < end) {
        if (stop.getAsBoolean()) {
          throw new StoppedException(epoch(from.steps + done + 1), from.steps + done);
        }
        int n = Math.min(Math.min(step.atOnce(), end - done), READ_EVERY - done % READ_EVERY);
        step.run(training.B(), n);
        done += n;
        if (done % READ_EVERY == 0) {
          step.askLog();
          take(Step.READS - 1, from.steps, losses);
        }
      }
    }
    step.askLog();
    take(0, from.steps, losses);
    return new Result(state(from.steps + count), losses);
  }

  private void begin(State from) {
    parameters.write(from.weights);
    parameters.writeState(from.moments);
    float[] initial = LossScale.initial(ops.precision());
    // A state from a device of another precision may have a loss scale that this one does not need,
    // or lack one that it needs.
    step.resume(from.steps, from.lossScale.length == initial.length ? from.lossScale : initial);
  }

  /** Begins an epoch after {@code batch} batches of it. */
  private void beginEpoch(int epoch, int batch, float[] rates) {
    if (orderedFor != epoch) {
      int size = training.set().size();
      order =
          settings.shuffle
              ? ExampleOrder.shuffled(size, training.seed(), epoch)
              : ExampleOrder.sequential(size);
      orderedFor = epoch;
    }
    step.distort(epoch, settings.epochs);
    step.begin(order, batch * training.B(), rates);
  }

  private float[] rates(int at, int count) {
    LearningRate rate = settings.rate;
    return rate.schedule()
        .rates(rate.base(), at, count, settings.batches, settings.steps(), rate.warmup(), 1);
  }

  /** Waits until at most {@code left} reads of losses are under way, and notes those that came. */
  private void take(int left, int before, float[] losses) {
    while (step.reads() > left) {
      Step.Log log = step.takeLog();
      int n = log.rows().length / 2;
      int first = log.steps() - before - n;
      for (int i = 0; i < n; i++) {
        float loss = log.rows()[2 * i] / training.B();
        int its = before + first + i + 1;
        if (!Float.isFinite(loss)) {
          throw new DivergedException(epoch(its), its, loss);
        }
        losses[first + i] = loss;
      }
      float[] scale = log.lossScale();
      if (scale.length > 0 && LossScale.isExhausted(scale)) {
        throw DivergedException.ofLossScale(
            epoch(log.steps()), log.steps(), scale[LossScale.SCALE]);
      }
    }
  }

  private State state(int steps) {
    List<float[]> weights = parameters.read();
    // The update of the last step may have diverged, which its loss does not show.
    DivergedException.check(weights, epoch(steps), steps);
    return new State(weights, parameters.readState(), steps, step.lossScale());
  }

  /** The epoch of a step that is counted from 1. */
  private int epoch(int itsStep) {
    return (itsStep - 1) / settings.batches + 1;
  }

  @Override
  public void close() {
    resources.close();
  }
}
