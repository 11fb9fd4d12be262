package mlpcuda.train;

import java.util.Arrays;
import java.util.List;
import java.util.function.BooleanSupplier;
import mlpcuda.data.ExampleOrder;
import mlpcuda.net.Step;

/** The loop over epochs and batches. */
public final class Trainer {
  private static final int READ_EVERY = 100;

  /**
   * What a run does.
   *
   * @param epochs passes over the examples
   * @param batchSize examples of a step; the last step of an epoch may have fewer
   * @param shuffle whether each epoch has its own order
   * @param seed of the orders
   * @param maxSteps steps after which the run ends, wherever it is
   * @param logInterval after how many steps a listener wants to hear of them at the latest
   */
  public record Settings(
      int epochs, int batchSize, boolean shuffle, long seed, int maxSteps, int logInterval) {}

  /**
   * A step that was done.
   *
   * @param step its number from the run's beginning, from 1
   * @param batch its number in the epoch, from 1
   * @param loss the batch's mean loss, before the update
   */
  public record StepResult(int epoch, int step, int batch, double loss) {}

  /**
   * An epoch that was done.
   *
   * @param steps steps from the run's beginning
   * @param loss mean loss of its examples, each as it was when the step met it
   * @param accuracy fraction of its examples that were answered right then
   * @param seconds time of its steps
   */
  public record EpochResult(
      int epoch, int steps, double loss, double accuracy, double seconds, double imagesPerSecond) {}

  /** Hears what happens; the calls come from the training thread. */
  public interface Listener {
    /** An epoch of {@code batches} batches begins. */
    default void epochBegins(int epoch, int batches) {}

    /** A step was done, a while ago: results arrive in groups, in order. */
    default void stepDone(StepResult result) {}

    /** An epoch was done. */
    default void epochDone(EpochResult result) {}
  }

  private final Settings settings;
  private final Step step;
  private final int examples;
  private final float learningRate;
  private final List<Listener> listeners;
  private final BooleanSupplier stop;
  private int steps; // done
  private double epochLoss; // sums over the reported examples of this epoch
  private double epochRight;

  /**
   * A run of {@code step} over {@code examples} examples, at one learning rate; {@code stop} is
   * asked before each step whether to end the run.
   */
  public Trainer(
      Settings settings,
      Step step,
      int examples,
      double learningRate,
      List<Listener> listeners,
      BooleanSupplier stop) {
    this.settings = settings;
    this.step = step;
    this.examples = examples;
    this.learningRate = (float) learningRate;
    this.listeners = listeners;
    this.stop = stop;
  }

  /**
   * Trains.
   *
   * @throws DivergedException when a loss is not finite
   * @throws StoppedException when told to stop
   */
  public void run() {
    for (int epoch = 1; epoch <= settings.epochs && steps < settings.maxSteps; epoch++) {
      runEpoch(epoch);
    }
  }

  private void runEpoch(int epoch) {
    int B = settings.batchSize;
    int batches = (examples - 1) / B + 1;
    int planned = Math.min(batches, settings.maxSteps - steps);
    int readEvery = readEvery(settings.logInterval);
    listeners.forEach(listener -> listener.epochBegins(epoch, planned));
    epochLoss = 0;
    epochRight = 0;
    long start = System.nanoTime();
    int[] order =
        settings.shuffle
            ? ExampleOrder.shuffled(examples, settings.seed, epoch)
            : ExampleOrder.sequential(examples);
    float[] rates = new float[planned];
    Arrays.fill(rates, learningRate);
    step.begin(order, 0, rates);
    for (int batch = 1; batch <= planned; batch++) {
      if (stop.getAsBoolean()) {
        throw new StoppedException(epoch, steps);
      }
      step.run(Math.min(B, examples - (batch - 1) * B));
      steps++;
      if (batch % readEvery == 0 || batch == planned) {
        report(epoch, batch);
      }
    }
    double seconds = (System.nanoTime() - start) / 1e9;
    int seen = (int) Math.min(examples, (long) planned * B);
    var result =
        new EpochResult(epoch, steps, epochLoss / seen, epochRight / seen, seconds, seen / seconds);
    listeners.forEach(listener -> listener.epochDone(result));
  }

  /**
   * After how many steps the log is read: a multiple of the interval where that fits, for a read
   * waits for the device.
   */
  private static int readEvery(int logInterval) {
    return Math.min(Step.LOG_ROWS, logInterval * Math.max(1, READ_EVERY / logInterval));
  }

  private void report(int epoch, int batch) {
    float[] log = step.readLog();
    int count = log.length / 2;
    for (int i = 0; i < count; i++) {
      int before = count - 1 - i; // steps that this one is away from the last
      int itsBatch = batch - before;
      int size = Math.min(settings.batchSize, examples - (itsBatch - 1) * settings.batchSize);
      double loss = log[2 * i] / (double) size;
      if (!Double.isFinite(loss)) {
        throw new DivergedException(epoch, steps - before, loss);
      }
      epochLoss += log[2 * i];
      epochRight += log[2 * i + 1];
      var result = new StepResult(epoch, steps - before, itsBatch, loss);
      listeners.forEach(listener -> listener.stepDone(result));
    }
  }
}
