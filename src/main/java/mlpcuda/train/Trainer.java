package mlpcuda.train;

import java.util.List;
import java.util.function.BooleanSupplier;
import mlpcuda.compute.LossScale;
import mlpcuda.data.ExampleOrder;
import mlpcuda.error.DivergedException;
import mlpcuda.error.StoppedException;
import mlpcuda.net.Parameters;
import mlpcuda.net.Step;

/** The training loop over epochs and batches. */
public final class Trainer {
  private static final int READ_EVERY = 100;

  /**
   * The settings of a run.
   *
   * @param epochs the number of passes over the examples
   * @param batchSize the number of examples of a step; the last step of an epoch may have fewer
   * @param shuffle whether each epoch has its own order
   * @param seed the seed of the orders
   * @param maxSteps the number of steps after which the run ends, wherever it is
   * @param logInterval the most steps after which a listener must hear of them
   * @param learningRate the base rate, which the schedule's factors multiply
   * @param schedule the schedule of the learning rate
   * @param warmup the steps of linear warm-up; 0 for none
   * @param monitor the measure by which an epoch is better than those before
   * @param patience the number of epochs without a better one after which the run ends; 0: it does
   *     not
   * @param keepBest whether to keep the weights of the best epoch
   * @param checkpointEvery the number of steps between two checkpoints inside of an epoch; 0: there
   *     are none
   */
  public record Settings(
      int epochs,
      int batchSize,
      boolean shuffle,
      long seed,
      int maxSteps,
      int logInterval,
      double learningRate,
      Schedule schedule,
      int warmup,
      EarlyStopping.Monitor monitor,
      int patience,
      boolean keepBest,
      int checkpointEvery) {
    /** Whether a run at that position has nothing left to do. */
    public boolean ended(Progress at) {
      return stopping(at.stopping()).stops() || !goOn(at.epoch(), at.steps());
    }

    private boolean goOn(int epoch, int steps) {
      return epoch <= epochs && steps < maxSteps;
    }

    private EarlyStopping stopping(EarlyStopping.State state) {
      return new EarlyStopping(monitor, patience == 0 ? Integer.MAX_VALUE : patience, state);
    }
  }

  /**
   * The result of a step.
   *
   * @param step the step's number from the run's beginning, from 1
   * @param batch the batch's number in the epoch, from 1
   * @param loss the batch's mean loss, before the update
   */
  public record StepResult(int epoch, int step, int batch, double loss) {}

  /**
   * The result of an epoch.
   *
   * @param steps the number of steps from the run's beginning
   * @param loss the mean loss of its examples, each as it was when the step met it
   * @param accuracy the fraction of its examples that were answered right then
   * @param rate the learning rate of its last step
   * @param validationLoss the mean loss of the validation set after it; NaN where there is none
   * @param validationAccuracy the fraction of the validation set answered right; NaN where there is
   *     none
   * @param testLoss the mean loss of the test set after it; NaN where it is not evaluated
   * @param testAccuracy the fraction of the test set answered right; NaN where it is not evaluated
   * @param seconds the time of its steps, without that of the evaluations after them
   */
  public record EpochResult(
      int epoch,
      int steps,
      double loss,
      double accuracy,
      double rate,
      double validationLoss,
      double validationAccuracy,
      double testLoss,
      double testAccuracy,
      double seconds,
      double imagesPerSecond) {
    /** Whether there is a validation set. */
    public boolean validated() {
      return !Double.isNaN(validationAccuracy);
    }

    /** Whether the test set was evaluated after this epoch. */
    public boolean tested() {
      return !Double.isNaN(testAccuracy);
    }
  }

  /** Hears of the run's events; the calls come from the training thread. */
  public interface Listener {
    /** An epoch of {@code batches} batches begins, or goes on. */
    default void epochBegins(int epoch, int batches) {}

    /** A step was done, a while ago: results arrive in groups, in order. */
    default void stepDone(StepResult result) {}

    /** An epoch was done. */
    default void epochDone(EpochResult result) {}

    /**
     * The device has done all steps up to there, so that this is the moment to keep a run's state.
     */
    default void checkpoint(Progress progress) {}
  }

  private final Settings settings;
  private final Step step;
  private final Parameters parameters;
  private final int examples;
  private final Evaluator validation;
  private final List<Listener> listeners;
  private final BooleanSupplier stop;
  private final int batches; // batches of an epoch
  private final int totalSteps; // steps of the run, unless it ends early

  private int epoch = 1;
  private int batch; // number of this epoch's batches that are done
  private int steps; // number of steps that are done
  private double epochLoss; // sums over the reported examples of this epoch
  private double epochRight;
  private Plateau plateau; // null: another schedule
  private EarlyStopping stopping;
  private List<float[]> best = List.of();
  private Evaluator test; // null: the test set is not evaluated after each epoch
  private Predictions testAnswers;
  // the test set's result after the last epoch; null: it was not evaluated
  private Score tested;

  /**
   * A run of {@code step} over {@code examples} examples.
   *
   * @param parameters the parameters that {@code step} trains
   * @param validation evaluated after each epoch; null: there is no validation set
   * @param stop asked before each step whether to end the run
   */
  public Trainer(
      Settings settings,
      Step step,
      Parameters parameters,
      int examples,
      Evaluator validation,
      List<Listener> listeners,
      BooleanSupplier stop) {
    this.settings = settings;
    this.step = step;
    this.parameters = parameters;
    this.examples = examples;
    this.validation = validation;
    this.listeners = listeners;
    this.stop = stop;
    this.batches = (examples - 1) / settings.batchSize + 1;
    this.totalSteps = (int) Math.min(settings.maxSteps, (long) settings.epochs * batches);
    resume(Progress.begin(settings.monitor, step.lossScale()));
  }

  /** Goes on from that position; the caller must restore the parameters. */
  public void resume(Progress from) {
    epoch = from.epoch();
    batch = from.batch();
    steps = from.steps();
    epochLoss = from.lossSum();
    epochRight = from.rightSum();
    plateau =
        settings.schedule instanceof Schedule.ReduceOnPlateau reduce
            ? new Plateau(reduce, from.plateau())
            : null;
    stopping = settings.stopping(from.stopping());
    best = from.best();
    step.resume(steps, from.lossScale());
  }

  /**
   * Makes the run evaluate the test set, too, after each epoch, to report it: nothing that is
   * trained depends on the result.
   *
   * @param answers filled with the answers after each epoch
   */
  public void testEachEpoch(Evaluator test, Predictions answers) {
    this.test = test;
    this.testAnswers = answers;
  }

  private Progress progress() {
    Plateau.State reductions = plateau == null ? Plateau.State.INITIAL : plateau.state();
    return new Progress(
        epoch,
        batch,
        steps,
        epochLoss,
        epochRight,
        reductions,
        stopping.state(),
        best,
        step.lossScale());
  }

  /**
   * Trains to the end of the run.
   *
   * @throws DivergedException if a loss is not finite, or gradients are not, whatever their scale
   * @throws StoppedException if the run is told to stop, after a checkpoint
   */
  public void run() {
    while (!stopping.stops() && hasNext()) {
      runEpoch();
    }
  }

  /** The weights after the best epoch on the validation set; empty where there is none. */
  public List<float[]> best() {
    return best;
  }

  /** The best epoch on the validation set so far, from 1; 0 where there is none. */
  public int bestEpoch() {
    return stopping.bestEpoch();
  }

  /**
   * The test set's result for the network that the run ends with, the best one or the last; null if
   * {@link #testEachEpoch} did not evaluate that one.
   */
  public Score tested() {
    return best.isEmpty() || stopping.lastWasBest() ? tested : null;
  }

  /** The number of steps done from the run's beginning. */
  public int steps() {
    return steps;
  }

  /** Whether the run ended with epochs left, because nothing got better. */
  public boolean endedEarly() {
    return stopping.stops() && hasNext();
  }

  private boolean hasNext() {
    return settings.goOn(epoch, steps);
  }

  private void runEpoch() {
    int B = settings.batchSize;
    int planned = Math.min(batches, batch + settings.maxSteps - steps);
    int readEvery = readEvery(settings.logInterval);
    listeners.forEach(listener -> listener.epochBegins(epoch, planned));
    long start = System.nanoTime();
    int before = batch;
    int[] order =
        settings.shuffle
            ? ExampleOrder.shuffled(examples, settings.seed, epoch)
            : ExampleOrder.sequential(examples);
    float[] rates =
        settings.schedule.rates(
            settings.learningRate,
            steps,
            planned - batch,
            batches,
            totalSteps,
            settings.warmup,
            plateau == null ? 1 : plateau.factor());
    step.begin(order, batch * B, rates);
    while (batch < planned) {
      if (stop.getAsBoolean()) {
        step.askLog();
        report(0);
        checkpoint();
        throw new StoppedException(epoch, steps);
      }
      int n = together(planned, readEvery);
      step.run(Math.min(B, examples - batch * B), n);
      steps += n;
      batch += n;
      boolean due = settings.checkpointEvery > 0 && steps % settings.checkpointEvery == 0;
      boolean pause = due || batch == planned;
      if (pause || batch % readEvery == 0) {
        step.askLog();
      }
      report(pause ? 0 : Step.READS - 1);
      if (due && batch < planned) { // after the last batch the epoch's own checkpoint follows
        checkpoint();
      }
    }
    double seconds = (System.nanoTime() - start) / 1e9;
    endEpoch(rates[rates.length - 1], seconds, (batch - before) * (long) B);
  }

  /**
   * The number of steps to run together: whole batches until something is due, or a single shorter
   * one.
   */
  private int together(int planned, int readEvery) {
    int whole = Math.min(planned, examples / settings.batchSize) - batch;
    int n = Math.min(step.atOnce(), Math.min(whole, readEvery - batch % readEvery));
    if (settings.checkpointEvery > 0) {
      n = Math.min(n, settings.checkpointEvery - steps % settings.checkpointEvery);
    }
    return Math.max(1, n);
  }

  private void endEpoch(double rate, double seconds, long done) {
    int seen = (int) Math.min(examples, (long) batch * settings.batchSize);
    Score answers = validation == null ? null : validation.run();
    double loss = epochLoss / seen;
    double accuracy = epochRight / seen;
    if (plateau != null) {
      plateau.observe(answers == null ? loss : answers.loss());
    }
    if (answers != null) {
      stopping.observe(answers.loss(), answers.accuracy());
      if (settings.keepBest && stopping.lastWasBest()) {
        best = parameters.read();
      }
    }
    if (test != null) {
      tested = test.run(testAnswers);
    }
    double speed = Math.min(done, seen) / seconds;
    var result =
        new EpochResult(
            epoch,
            steps,
            loss,
            accuracy,
            rate,
            answers == null ? Double.NaN : answers.loss(),
            answers == null ? Double.NaN : answers.accuracy(),
            test == null ? Double.NaN : tested.loss(),
            test == null ? Double.NaN : tested.accuracy(),
            seconds,
            speed);
    listeners.forEach(listener -> listener.epochDone(result));
    epoch++;
    batch = 0;
    epochLoss = 0;
    epochRight = 0;
    checkpoint();
  }

  private void checkpoint() {
    Progress progress = progress();
    listeners.forEach(listener -> listener.checkpoint(progress));
  }

  /**
   * The number of steps after which the log is read: a multiple of the interval where that fits.
   */
  private static int readEvery(int logInterval) {
    return Math.min(Step.LOG_ROWS, logInterval * Math.max(1, READ_EVERY / logInterval));
  }

  /**
   * Reports the steps whose rows have come, and waits until at most {@code left} reads are under
   * way: the device has work while the host waits for an earlier read, unless {@code left} is 0.
   */
  private void report(int left) {
    while (step.reads() > left || step.isLogThere()) {
      report(step.takeLog());
    }
  }

  private void report(Step.Log log) {
    int count = log.rows().length / 2;
    for (int i = 0; i < count; i++) {
      int itsStep = log.steps() - (count - 1 - i);
      int itsBatch = batch - (steps - itsStep);
      int size = Math.min(settings.batchSize, examples - (itsBatch - 1) * settings.batchSize);
      double loss = log.rows()[2 * i] / (double) size;
      if (!Double.isFinite(loss)) {
        throw new DivergedException(epoch, itsStep, loss);
      }
      epochLoss += log.rows()[2 * i];
      epochRight += log.rows()[2 * i + 1];
      var result = new StepResult(epoch, itsStep, itsBatch, loss);
      listeners.forEach(listener -> listener.stepDone(result));
    }
    float[] scale = log.lossScale();
    if (scale.length > 0 && LossScale.isExhausted(scale)) {
      throw DivergedException.ofLossScale(epoch, log.steps(), scale[LossScale.SCALE]);
    }
  }
}
