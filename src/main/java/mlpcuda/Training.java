package mlpcuda;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Predicate;
import mlpcuda.compute.Distortion;
import mlpcuda.data.ClassWeights;
import mlpcuda.error.BadFileException;
import mlpcuda.error.SettingException;
import mlpcuda.net.Augmentation;
import mlpcuda.net.MlpShape;
import mlpcuda.run.CommitteePlan;
import mlpcuda.run.Presets;
import mlpcuda.run.RunSettings;
import mlpcuda.run.RunSettings.Architecture;
import mlpcuda.run.RunSettings.Recording;
import mlpcuda.run.RunSettings.Validation;
import mlpcuda.train.EarlyStopping;
import mlpcuda.train.LearningRate;
import mlpcuda.train.Schedule;
import mlpcuda.train.Selection;

/**
 * How a network is trained. It is an immutable value: each method returns a copy with another
 * setting. Defaults are those of the preset {@code 128x64}: Adam at 1e-3, 10 epochs in batches of
 * 64, seed 1.
 */
public final class Training {
  private final RunSettings settings;
  private final Optional<Network> network; // whose weights the training starts with
  private final Optional<Path> folder;
  private final boolean overwrite;
  private final boolean resumes;
  private final TrainingListener listener;
  private final CommitteeTraining committee;

  private Training(Training like, RunSettings settings) {
    this(
        settings,
        like.network,
        like.folder,
        like.overwrite,
        like.resumes,
        like.listener,
        like.committee);
  }

  private Training(
      RunSettings settings,
      Optional<Network> network,
      Optional<Path> folder,
      boolean overwrite,
      boolean resumes,
      TrainingListener listener,
      CommitteeTraining committee) {
    this.settings = settings;
    this.network = network;
    this.folder = folder;
    this.overwrite = overwrite;
    this.resumes = resumes;
    this.listener = listener;
    this.committee = committee;
  }

  private static Training of(RunSettings settings, Optional<Network> network) {
    Recording presets = settings.recording();
    // The test set is evaluated once, at the end: a listener of epochs gets the validation set's.
    var recording =
        new Recording(presets.logInterval(), 0, presets.testBatchSize(), true, false, false);
    return new Training(
        settings.with(recording),
        network,
        Optional.empty(),
        false,
        false,
        TrainingListener.NONE,
        CommitteeTraining.NONE);
  }

  /**
   * The settings of a published program, or of {@code tuned}, {@code distorted} or {@code record},
   * which end at higher accuracies.
   *
   * @param name {@code 128x64}, {@code 300x300}, {@code 128}, {@code 128x64-centred}, {@code
   *     128x64x32-relu-out}, {@code tuned}, {@code distorted} or {@code record}
   * @throws IllegalArgumentException if there is none of that name
   */
  public static Training preset(String name) {
    return of(Presets.named(name), Optional.empty());
  }

  /** The training of that network, which goes on from its weights if it has some. */
  public static Training of(Network network) {
    MlpShape shape = network.shape();
    Architecture usual = Presets.DEFAULT.network();
    var architecture =
        new Architecture(
            shape.sizes().subList(1, shape.layers()),
            shape.hidden(),
            shape.output(),
            network.isTrained() ? network.form().scaling().name() : usual.scaling(),
            Optional.empty(),
            Optional.empty());
    return of(Presets.DEFAULT.with(architecture), Optional.of(network));
  }

  /**
   * Goes on with the run of a folder from its checkpoint. {@link #epochs}, {@link #maxSteps} and
   * {@link #earlyStopping} may move its end; it keeps all other settings. The same bytes come out
   * as from a run that was never stopped.
   *
   * @throws BadFileException if the folder has no checkpoint, or one that is malformed
   */
  public static Training resume(Path folder) {
    CommitteeTraining committee = CommitteeTraining.in(folder);
    RunSettings settings =
        committee.isGiven()
            ? CommitteePlan.read(folder).base().settings()
            : TrainingJob.read(folder).state().plan().settings();
    return new Training(
        settings,
        Optional.empty(),
        Optional.of(folder),
        false,
        true,
        TrainingListener.NONE,
        committee);
  }

  /** Ends after that many passes over the training set; 0 evaluates the initial network. */
  public Training epochs(int epochs) {
    return ending(settings.with(settings.course().withEpochs(epochs)));
  }

  /** Ends after that many steps, at least 1, wherever they end. */
  public Training maxSteps(int steps) {
    return ending(settings.with(settings.course().withMaxSteps(steps)));
  }

  /** Takes that many examples in a step, at least 1. */
  public Training batchSize(int size) {
    return changed(settings.with(settings.course().withBatchSize(size)));
  }

  /** Visits the examples in a new order in each epoch, or always in that of the data. */
  public Training shuffle(boolean shuffle) {
    return changed(settings.with(settings.course().withShuffle(shuffle)));
  }

  /** Moves the weights by that optimizer, at its rate. */
  public Training optimizer(Optimizer optimizer) {
    LearningRate rate = settings.rate();
    return changed(
        settings
            .with(new LearningRate(optimizer.rate(), rate.schedule(), rate.warmup()))
            .with(settings.learning().with(optimizer.settings())));
  }

  /**
   * Changes the learning rate over the run.
   *
   * @param schedule {@code constant}, {@code step:EPOCHS:GAMMA}, {@code exponential:GAMMA}, {@code
   *     cosine}, {@code one-cycle} or {@code plateau:FACTOR:PATIENCE}
   * @throws IllegalArgumentException if {@code schedule} has another form
   */
  public Training schedule(String schedule) {
    LearningRate rate = settings.rate();
    return changed(
        settings.with(new LearningRate(rate.base(), Schedule.parse(schedule), rate.warmup())));
  }

  /** Raises the learning rate from 0 over the first steps. */
  public Training warmup(int steps) {
    LearningRate rate = settings.rate();
    return changed(settings.with(new LearningRate(rate.base(), rate.schedule(), steps)));
  }

  /**
   * Zeroes that fraction, in [0, 1), of each hidden layer's outputs in training.
   *
   * @param rates one rate for all hidden layers, or one for each
   */
  public Training dropout(double... rates) {
    var list = new ArrayList<Float>();
    for (double rate : rates) {
      list.add((float) rate);
    }
    return changed(settings.with(settings.learning().withDropout(list)));
  }

  /** Spreads that share of the target, in [0, 1), over all classes. */
  public Training labelSmoothing(double share) {
    return changed(settings.with(settings.learning().withSmoothing(share)));
  }

  /**
   * Distorts the training images at random, anew in each epoch.
   *
   * @param distortions some of {@code elastic:ALPHA:SIGMA}, {@code rotate:DEG}, {@code shear:DEG},
   *     {@code scale:PERCENT}, {@code translate:PIXELS} and {@code erase[:SHARE]}, joined by commas
   * @throws IllegalArgumentException if the text has another form
   */
  public Training augment(String distortions) {
    return augment(distortions, 1);
  }

  /**
   * Distorts the training images as {@link #augment(String)} does, with a strength that changes
   * linearly from 1 in the first epoch to another one in the last.
   *
   * @param end the strength in the last epoch, from 0 to 1
   * @throws IllegalArgumentException if the text has another form, or {@code end} is out of range
   */
  public Training augment(String distortions, double end) {
    var augmentation = new Augmentation(Distortion.parse(distortions), (float) end);
    return changed(settings.with(settings.learning().with(Optional.of(augmentation))));
  }

  /**
   * Multiplies the loss of each training example by the weight of its class.
   *
   * @param weights {@code balanced}, by the classes' sizes, or such as {@code 0:1,1:5}
   * @throws IllegalArgumentException if the text has another form
   */
  public Training classWeights(String weights) {
    return changed(settings.with(settings.learning().with(ClassWeights.parse(weights))));
  }

  /**
   * Chooses the scaling of the inputs.
   *
   * @param name {@code unit}, {@code centred} or {@code z-score} for pixels; {@code standard},
   *     {@code minmax} or {@code none} for columns of numbers
   */
  public Training scaling(String name) {
    return changed(settings.with(settings.network().withScaling(name)));
  }

  /** Scales the gradient of all parameters down to that norm, above 0. */
  public Training clipGradNorm(double norm) {
    if (!(norm > 0)) {
      throw new SettingException("clip-grad-norm", "must be above 0, found " + norm);
    }
    return changed(settings.with(settings.learning().withClip(norm)));
  }

  /**
   * Evaluates and saves the exponential moving average of the weights over the steps.
   *
   * @param decay above 0 and below 1, such as 0.999
   */
  public Training ema(double decay) {
    return changed(settings.with(settings.learning().withEma(decay)));
  }

  /**
   * Holds examples back from training, and evaluates them after each epoch.
   *
   * @param amount their number, from 1, or the fraction of the training set, below 1
   */
  public Training validation(double amount) {
    return changed(
        settings.with(
            new Validation(
                OptionalDouble.of(mlpcuda.data.Split.parse(Double.toString(amount))),
                settings.validation().selection())));
  }

  /**
   * Ends after that many epochs, at least 1, without a lower validation loss, for which {@link
   * #validation} is needed.
   */
  public Training earlyStopping(int patience) {
    Selection selection = settings.validation().selection();
    return ending(
        settings.with(
            new Validation(
                settings.validation().amount(),
                new Selection(selection.monitor(), patience, selection.keepBest()))));
  }

  /** Ends with the weights of the best epoch, for which {@link #validation} is needed. */
  public Training keepBest() {
    return selecting(settings.validation().selection().monitor());
  }

  /** Ends with the weights of the epoch of the highest validation accuracy, not the lowest loss. */
  public Training keepMostAccurate() {
    return selecting(EarlyStopping.Monitor.ACCURACY);
  }

  private Training selecting(EarlyStopping.Monitor monitor) {
    Validation validation = settings.validation();
    return changed(
        settings.with(
            new Validation(
                validation.amount(),
                new Selection(monitor, validation.selection().patience(), true))));
  }

  /**
   * Measures the importance of each column of a table at the end: how much worse the test set is
   * answered when the column's values are permuted over its rows. The data must be a table of at
   * most 1,000 columns.
   */
  public Training importance() {
    return changed(settings.with(settings.recording().withImportance()));
  }

  /**
   * Trains a committee in place of one network: that many members, from 2, with a seed each from
   * {@link #seed} on, whose probabilities are averaged. On a CPU its threads are shared by members
   * that are trained side by side.
   */
  public Training members(int count) {
    return with(committee.withMembers(count));
  }

  /**
   * Brings the ink of images to other widths for the members of a committee, in turn: they then
   * make different mistakes.
   *
   * @param pixels widths in pixels; 0: images as they are
   */
  public Training memberWidths(int... pixels) {
    return with(committee.withWidths(pixels));
  }

  private Training with(CommitteeTraining other) {
    return new Training(kept(), network, folder, overwrite, resumes, listener, other);
  }

  /** Decides the initial weights, the order of examples, dropout and the held-back examples. */
  public Training seed(long seed) {
    return changed(settings.withSeed(seed));
  }

  /**
   * Writes the model, checkpoints, metrics and a report into that folder, which is made if it is
   * missing. Without it a training writes nothing.
   */
  public Training folder(Path folder) {
    return new Training(
        kept(), network, Optional.of(folder), overwrite, false, listener, committee);
  }

  /** Replaces a finished run that the folder holds, in place of refusing it. */
  public Training overwrite() {
    return new Training(settings, network, folder, true, resumes, listener, committee);
  }

  /**
   * Passes the result of each epoch to a listener. It is called by the device's thread, and the
   * training waits for it; it cannot ask that device meanwhile.
   */
  public Training onEpoch(Consumer<EpochResult> listener) {
    return with(this.listener.onEpoch(listener));
  }

  /**
   * Ends the training after the first epoch of which that is true, in place of the last; a
   * committee's member after the first such epoch of its own. It is asked by the device's thread
   * after the listener of {@link #onEpoch} has heard of the epoch.
   */
  public Training stopWhen(Predicate<EpochResult> enough) {
    return with(listener.enough(enough));
  }

  /**
   * Ends the training before the first step at which that is true, as if the thread that waits in
   * {@link #fit} were interrupted: there is no result. It is asked by a thread that trains, and
   * must return at once.
   */
  public Training cancelWhen(BooleanSupplier cancelled) {
    return with(listener.cancelled(cancelled));
  }

  /**
   * Passes the file of each checkpoint of the {@link #folder} to a listener, which may copy it: a
   * folder with that file alone can be resumed. It is called by the device's thread, and the
   * training waits for it.
   */
  public Training onCheckpoint(Consumer<Path> listener) {
    return with(this.listener.onCheckpoint(listener));
  }

  private Training with(TrainingListener other) {
    return new Training(settings, network, folder, overwrite, resumes, other, committee);
  }

  private Training changed(RunSettings other) {
    kept();
    return new Training(this, other);
  }

  private Training ending(RunSettings other) {
    return new Training(this, other);
  }

  /** The settings of a run of this training. */
  RunSettings settings() {
    return settings;
  }

  /** The network whose shape the data must have; empty: the data decide the shape. */
  Optional<Network> network() {
    return network;
  }

  /** Whether several networks are trained, whose answers are averaged. */
  boolean isOfCommittee() {
    return committee.isGiven();
  }

  private RunSettings kept() {
    if (resumes) {
      throw new IllegalStateException(
          "a run that is resumed keeps its settings, but for its end: epochs, maxSteps and"
              + " earlyStopping");
    }
    return settings;
  }

  /**
   * Trains and evaluates, and waits for the end. If the waiting thread is interrupted, the training
   * ends after its step, with a checkpoint if it has a folder.
   *
   * @throws SettingException if a setting does not fit the data
   * @throws mlpcuda.error.DivergedException if losses or weights become non-finite
   * @throws mlpcuda.error.StoppedException if this thread is interrupted, or by {@link #cancelWhen}
   * @throws mlpcuda.error.FolderInUseException if another run uses the folder
   * @throws java.io.UncheckedIOException if the folder cannot be written
   */
  public TrainingResult fit(Dataset dataset, Device device) {
    var interrupted = new AtomicBoolean();
    BooleanSupplier stop = () -> interrupted.get() || listener.cancelled().getAsBoolean();
    var job =
        new TrainingJob(
            settings, network, folder, overwrite, listener, committee, dataset, device, stop);
    return device.call(() -> resumes ? job.goOn() : job.begin(), () -> interrupted.set(true));
  }

  /** The settings in a line. */
  @Override
  public String toString() {
    return "%s: %s, %s, %d epochs in batches of %d, seed %d"
        .formatted(
            settings.preset(),
            settings.network().hidden(),
            settings.learning().optimizer(),
            settings.course().epochs(),
            settings.course().batchSize(),
            settings.seed());
  }
}
