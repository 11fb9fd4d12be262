package mlpcuda.train;

import java.util.List;
import java.util.Optional;
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
   * @param course the run's length and batches
   * @param rate the learning rate
   * @param selection what the validation set decides
   * @param logInterval the most steps after which a listener must hear of them
   * @param checkpointEvery the number of steps between two checkpoints inside of an epoch; 0 if
   *     only the end of an epoch brings one
   * @param seed the seed of the orders of examples
   */
  public record Settings(
      Course course,
      LearningRate rate,
      Selection selection,
      int logInterval,
      int checkpointEvery,
      long seed) {
    /** Whether a run at that position has nothing left to do. */
    public boolean ended(Progress at) {
      return selection.stopping(at.stopping()).stops() || !course.goesOn(at.epoch(), at.steps());
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
   * @param train the scores of its examples, each as it was when the step met it
   * @param validation the scores of the validation set after the epoch; empty where there is none
   * @param test the scores of the test set after the epoch; empty where it is not evaluated
   * @param rate the learning rate of its last step
   * @param seconds the time of its steps, without that of the evaluations after them
   */
  public record EpochResult(
      int epoch,
      int steps,
      Averages train,
      Optional<Averages> validation,
      Optional<Averages> test,
      double rate,
      double seconds,
      double imagesPerSecond) {}

  /** Hears of the run's events; the calls come from the training thread. */
  public interface Listener {
    /** An epoch of {@code batches} batches begins, or goes on. */
    default void epochBegins(int epoch, int batches) {}

    /** A step was done, a while ago: results arrive in groups, in order. */
    default void stepDone(StepResult result) {}

    /** An epoch was done. */
    default void epochDone(EpochResult result) {}

    /** Whether the run shall end after this epoch, of which all listeners have heard. */
    default boolean endsAfter(EpochResult result) {
      return false;
    }

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
  private boolean ended; // a listener wants no further epoch
  private List<float[]> best = List.of();
  private Evaluator test; // null: the test set is not evaluated after each epoch
  private Predictions testAnswers;
  // the test set's result after the last epoch; null: it was not evaluated
  private Score tested;

  /**
   * A run of {@code step} over {@code examples} examples.
   *
   * @param parameters the weights that {@code validation} evaluates and the best of which are kept:
   *     those that {@code step} trains, or their average
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
    this.batches = settings.course.batches(examples);
    this.totalSteps =
        (int) Math.min(settings.course.maxSteps(), (long) settings.course.epochs() * batches);
    resume(Progress.begin(settings.selection.monitor(), step.lossScale()));
  }

  /** Goes on from that position; the caller must restore the parameters. */
  public void resume(Progress from) {
    epoch = from.epoch();
    batch = from.batch();
    steps = from.steps();
    epochLoss = from.sums().loss();
    epochRight = from.sums().right();
    plateau =
        settings.rate.schedule() instanceof Schedule.ReduceOnPlateau reduce
            ? new Plateau(reduce, from.plateau())
            : null;
    stopping = settings.selection.stopping(from.stopping());
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
        new Progress.Sums(epochLoss, epochRight),
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
    while (!ended && !stopping.stops() && hasNext()) {
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
    return settings.course.goesOn(epoch, steps);
  }

  private void runEpoch() {
    Course course = settings.course;
    int B = course.batchSize();
    int planned = Math.min(batches, batch + course.maxSteps() - steps);
    int readEvery = readEvery(settings.logInterval);
    listeners.forEach(listener -> listener.epochBegins(epoch, planned));
    long start = System.nanoTime();
    int before = batch;
    int[] order =
        course.shuffle()
            ? ExampleOrder.shuffled(examples, settings.seed, epoch)
            : ExampleOrder.sequential(examples);
    float[] rates =
        settings
            .rate
            .schedule()
            .rates(
                settings.rate.base(),
                steps,
                planned - batch,
                batches,
                totalSteps,
                settings.rate.warmup(),
                plateau == null ? 1 : plateau.factor());
    step.distort(epoch, course.epochs());
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
    int whole = Math.min(planned, examples / settings.course.batchSize()) - batch;
    int n = Math.min(step.atOnce(), Math.min(whole, readEvery - batch % readEvery));
    if (settings.checkpointEvery > 0) {
      n = Math.min(n, settings.checkpointEvery - steps % settings.checkpointEvery);
    }
    return Math.max(1, n);
  }

  private void endEpoch(double rate, double seconds, long done) {
    int seen = (int) Math.min(examples, (long) batch * settings.course.batchSize());
    Score answers = validation == null ? null : validation.run();
    var train = new Averages(epochLoss / seen, epochRight / seen);
    if (plateau != null) {
      plateau.observe(answers == null ? train.loss() : answers.loss());
    }
    if (answers != null) {
      stopping.observe(answers.loss(), answers.accuracy());
      if (settings.selection.keepBest() && stopping.lastWasBest()) {
        best = parameters.read();
      }
    }
    if (test != null) {
      tested = test.run(Optional.of(testAnswers));
    }
    double speed = Math.min(done, seen) / seconds;
    var result =
        new EpochResult(epoch, steps, train, scores(answers), scores(tested), rate, seconds, speed);
    listeners.forEach(listener -> listener.epochDone(result));
    ended = listeners.stream().anyMatch(listener -> listener.endsAfter(result));
    epoch++;
    batch = 0;
    epochLoss = 0;
    epochRight = 0;
    checkpoint();
  }

  private static Optional<Averages> scores(Score evaluation) {
    return Optional.ofNullable(evaluation).map(Score::averages);
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
      int B = settings.course.batchSize();
      int size = Math.min(B, examples - (itsBatch - 1) * B);
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
