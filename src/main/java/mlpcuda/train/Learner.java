package mlpcuda.train;

import java.util.Arrays;
import java.util.List;
import mlpcuda.compute.Ops;
import mlpcuda.compute.Resources;
import mlpcuda.data.ExampleOrder;
import mlpcuda.net.Parameters;
import mlpcuda.net.Step;

/**
 * A network on a device, with all that it needs to learn. It begins with its initial weights, and
 * learns batch by batch, one shuffled epoch after another.
 */
public final class Learner implements AutoCloseable {
  private final Resources resources = new Resources();
  private final TrainingSetup training;
  private final Parameters parameters;
  private final Step step;
  private float rate;
  private float begunWith; // the rate that was given to the device for the epoch's steps
  private int epoch;
  private double loss = Double.NaN; // mean loss of the last batch whose loss was read
  private int left; // batches of the epoch that are still to come

  /** A network that has not been trained yet; the caller closes it. */
  public Learner(Ops ops, TrainingSetup training) {
    this.training = training;
    rate = (float) training.rate();
    parameters =
        resources.open(() -> new Parameters(ops, training.shape(), training.update().ema()));
    resources.attempt(() -> parameters.initialise(training.seed()));
    step =
        resources.open(() -> new TrainableNetwork(parameters, training, training.batches())).step();
  }

  /** The weights, their gradients and the optimizer's state. */
  public Parameters parameters() {
    return parameters;
  }

  /** Sets the learning rate of the next steps. */
  public void rate(double rate) {
    this.rate = (float) rate;
  }

  /** Enqueues the next step: see {@link #run(int)}. */
  public void run() {
    run(1);
  }

  /** Enqueues the next n steps; at most {@link Step#LOG_ROWS} before losses are read. */
  public void run(int n) {
    for (int asked = 0; asked < n; ) {
      asked += runSome(n - asked);
    }
  }

  /** Enqueues steps of one epoch, at most {@code most}, and returns their number. */
  private int runSome(int most) {
    if (left == 0) {
      left = training.batches();
      float[] rates = new float[left];
      Arrays.fill(rates, rate);
      epoch++;
      step.distort(epoch, epoch);
      step.begin(ExampleOrder.shuffled(training.set().size(), training.seed(), epoch), 0, rates);
      begunWith = rate;
    } else if (rate != begunWith) { // for this step alone: the next may have another rate
      step.rate(rate);
    }
    int n = rate == begunWith ? Math.min(most, Math.min(left, step.atOnce())) : 1;
    step.run(training.B(), n);
    left -= n;
    return n;
  }

  /**
   * Reads the losses as a trainer does: it asks for those of the steps until now, and waits for
   * those that it asked for before, so that the device has work meanwhile.
   */
  public void readOn() {
    step.askLog();
    take(Step.READS - 1);
  }

  /** Waits for all steps that are enqueued, and returns the mean loss of the last one's batch. */
  public double loss() {
    step.askLog();
    take(0);
    return loss;
  }

  /** Waits until at most {@code left} reads of losses are under way. */
  private void take(int left) {
    while (step.reads() > left) {
      float[] rows = step.takeLog().rows();
      if (rows.length > 0) {
        loss = rows[rows.length - 2] / (double) training.B();
      }
    }
  }

  /** The state that the next step starts from, but for the step's number. */
  public State state() {
    return new State(parameters.read(), parameters.readState());
  }

  /** Sets the state that the next step starts from. */
  public void start(State state) {
    parameters.write(state.weights);
    parameters.writeState(state.moments);
  }

  /** The weights and the optimizer's state, on the host. */
  public record State(List<float[]> weights, Parameters.State moments) {}

  @Override
  public void close() {
    resources.close();
  }
}
