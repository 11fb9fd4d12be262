package mlpcuda.run;

import java.math.BigDecimal;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import mlpcuda.compute.LossScale;
import mlpcuda.compute.Ops;
import mlpcuda.data.ExampleSet;
import mlpcuda.error.DivergedException;
import mlpcuda.error.StoppedException;
import mlpcuda.model.Checkpoint;
import mlpcuda.model.ModelFile;
import mlpcuda.net.Parameters;
import mlpcuda.net.Step;
import mlpcuda.preparation.ImageForm;
import mlpcuda.preparation.Preparation;
import mlpcuda.report.Metrics;
import mlpcuda.report.Printable;
import mlpcuda.report.Tables;
import mlpcuda.report.TensorBoard;
import mlpcuda.train.Calibration;
import mlpcuda.train.DistortedImages;
import mlpcuda.train.Evaluator;
import mlpcuda.train.Importance;
import mlpcuda.train.Predictions;
import mlpcuda.train.Progress;
import mlpcuda.train.Score;
import mlpcuda.train.Selection;
import mlpcuda.train.TrainableNetwork;
import mlpcuda.train.Trainer;

/**
 * One run, which trains, evaluates and saves a network.
 *
 * @param ops the device
 * @param data the examples, the network's shape and its images
 * @param start where the run starts from
 * @param folder the folder for the files; empty if none are written
 * @param reporter hears what the run does
 * @param stop asked before each step whether to end the run
 */
public record TrainingRun(
    Ops ops,
    RunData data,
    Start start,
    Optional<Path> folder,
    Reporter reporter,
    BooleanSupplier stop) {
  /**
   * The result of a run that is done.
   *
   * @param metrics all that was measured
   * @param network the network as the model's file has it
   * @param test the result of the test set
   * @param validation the result of the held-back examples; empty if there are none
   * @param importance the importance of the columns; empty if it was not asked for
   */
  public record Result(
      Metrics metrics,
      ModelFile network,
      Score test,
      Optional<Score> validation,
      Optional<Importance> importance) {}

  /**
   * The result of training, before the final evaluation.
   *
   * @param outcome what the validation set and the loss scale led to; empty if nothing
   * @param answers the answers to the test images, if {@code tested} is there; else space for them
   * @param tested the test set's result for the trained network; empty if it was not evaluated yet
   */
  private record Trained(String outcome, Predictions answers, Optional<Score> tested) {}

  /**
   * Trains, evaluates and saves the network.
   *
   * @throws StoppedException if told to stop: before anything was written, or after a checkpoint
   * @throws DivergedException if losses, weights or gradients become non-finite
   */
  public Result run() {
    Progress begun = start.state().progress();
    reporter.line(Printable.oneLine(RunDescription.examples(data)));
    data.ofTest().ifPresent(reporter::line);
    if (data.train().weights().isPresent()) {
      reporter.line("The losses of training are weighted; accuracies and evaluations are not.");
    }
    if (data.form() instanceof ImageForm images
        && images.preparation() != Preparation.usual(images.rows(), images.cols())) {
      reporter.line(preparation(images.preparation()));
    }
    var metrics =
        new Metrics(
            RunDescription.settings(ops, data, start.state()),
            settings().recording().logInterval());
    Warnings.ofLabels(data.train(), data.test(), data.shape().classes(), data.form().labels())
        .ifPresent(
            warning -> {
              metrics.warn(warning);
              reporter.warning(warning);
            });
    if (settings().ema() > 0) {
      reporter.line(
          "The network that is evaluated and saved has the average of the weights, of decay %s."
              .formatted(settings().ema()));
    }
    reporter.line(Tables.layers(data.shape()));
    metrics.checkpoint(begun);
    Optional<RunFolder> files = folder.map(path -> new RunFolder(path, this, metrics));
    boolean resumed = start instanceof Start.Resumed;
    if (!resumed && folder.filter(RunFolder::holdsARun).isPresent()) {
      reporter.line(Printable.oneLine(folder.get() + ": the run that it holds is replaced"));
    }
    boolean ended = resumed && settings().trainer().ended(begun);
    boolean written = ended && RunFolder.holdsTheEnd(folder.orElseThrow());
    // The board is opened first: a folder that cannot be written must cost no training.
    try (TensorBoard board = written ? null : tensorBoard();
        Parameters parameters = new Parameters(ops, data.shape(), settings().ema())) {
      initialise(parameters, files, metrics, ended);
      try {
        Optional<RunFolder> kept = written ? Optional.empty() : files; // nothing is written twice
        Trained trained = train(parameters, metrics, kept, board);
        Result result = evaluate(parameters.answering(), metrics, kept, trained);
        if (board != null) { // written last: if it fails, all else is done
          board.tested(
              result.test, settings().recording().testAtEnd() || metrics.epochsDone() == 0);
        }
        return result;
      } catch (DivergedException e) {
        metrics.diverged(e);
        files.ifPresent(f -> f.diverged(e));
        throw e;
      }
    }
  }

  private RunSettings settings() {
    return start.state().plan().settings();
  }

  /**
   * The first training images, with those that their distortions make of them in the first epochs;
   * empty where they are not distorted.
   */
  Optional<DistortedImages> distorted(int images, int epochs) {
    int count = Math.min(images, data.train().size());
    return settings()
        .learning()
        .augmentation()
        .map(
            of ->
                DistortedImages.of(
                    ops, data.train(), count, epochs, of.distortion(), settings().seed()));
  }

  /** Gives the parameters the values that the run starts with. */
  private void initialise(
      Parameters parameters, Optional<RunFolder> files, Metrics metrics, boolean ended) {
    if (start instanceof Start.Resumed resumed) {
      files.orElseThrow().restore();
      reporter.line(ended ? finished(metrics) : goingOn());
      Checkpoint checkpoint = resumed.from().checkpoint();
      parameters.write(checkpoint.moved());
      parameters.answering().write(checkpoint.weights());
      parameters.writeState(new Parameters.State(checkpoint.m(), checkpoint.v()));
      return;
    }
    Optional<List<float[]>> weights = ((Start.Fresh) start).weights();
    if (weights.isPresent()) {
      parameters.write(weights.get());
    } else {
      parameters.initialise(settings().seed());
    }
  }

  private static String preparation(Preparation preparation) {
    return preparation == Preparation.AS_IS
        ? "The model will have pictures resized as they are, not brought to MNIST's form"
            + " (preparation as-is)"
        : "The model will have pictures brought to MNIST's form (preparation mnist-form)";
  }

  private String goingOn() {
    Progress at = start.state().progress();
    return String.format(
        Locale.ROOT, "Going on in epoch %d, after step %d", at.epoch(), at.steps());
  }

  /** Says that a run is at its end, and which setting moves that. */
  private String finished(Metrics metrics) {
    Progress at = start.state().progress();
    String more = "more patience";
    if (at.epoch() > settings().course().epochs()) {
      more = "a larger number of epochs";
    } else if (at.steps() >= settings().course().maxSteps()) {
      more = "a larger limit of steps";
    }
    return Printable.oneLine(
        "The run in %s is finished, after %s and %s: %s makes it go on"
            .formatted(
                folder.orElseThrow(),
                Tables.count(metrics.epochsDone(), "epoch"),
                Tables.count(at.steps(), "step"),
                more));
  }

  private TensorBoard tensorBoard() {
    return start
        .state()
        .plan()
        .events()
        .map(
            events ->
                new TensorBoard(
                    events, settings().recording().logInterval(), start.state().progress().steps()))
        .orElse(null);
  }

  private Trained train(
      Parameters parameters, Metrics metrics, Optional<RunFolder> files, TensorBoard board) {
    RunSettings settings = settings();
    int size = data.train().size();
    var answers = new Predictions(data.test().size());
    Trainer trainer;
    String outcome;
    String scaled;
    String launches;
    Parameters answering = parameters.answering();
    try (var network =
            new TrainableNetwork(
                parameters, data.training(settings), settings.course().batches(size));
        Evaluator judge = data.validation().map(set -> evaluator(answering, set)).orElse(null);
        Evaluator test =
            settings.recording().testAtEnd() ? null : evaluator(answering, data.test())) {
      Step step = network.step();
      List<Trainer.Listener> listeners = listeners(parameters, metrics, files, board);
      trainer = new Trainer(settings.trainer(), step, answering, size, judge, listeners, stop);
      if (test != null) {
        trainer.testEachEpoch(test, answers);
      }
      if (start instanceof Start.Resumed) {
        trainer.resume(start.state().progress());
      }
      files.ifPresent(f -> f.begins(parameters));
      reporter.trainingBegins();
      try {
        trainer.run();
      } catch (StoppedException e) {
        throw files.isEmpty() ? e : files.get().stopped(parameters, e);
      }
      launches = launches(step);
      outcome = outcome(trainer);
      scaled = lossScale(step.lossScale(), trainer.steps());
    }
    for (String line : List.of(outcome, scaled)) {
      if (!line.isEmpty()) {
        reporter.line(line);
      }
    }
    if (!trainer.best().isEmpty()) {
      answering.write(trainer.best());
    }
    reporter.detail(launches);
    return new Trained(
        (outcome + " " + scaled).strip(), answers, Optional.ofNullable(trainer.tested()));
  }

  private List<Trainer.Listener> listeners(
      Parameters parameters, Metrics metrics, Optional<RunFolder> files, TensorBoard board) {
    var listeners = new ArrayList<Trainer.Listener>(List.of(metrics));
    files.ifPresent(
        f ->
            listeners.add(
                new Trainer.Listener() {
                  @Override
                  public void checkpoint(Progress progress) {
                    f.save(parameters, progress);
                  }
                }));
    // Reporter and board come after the files: they must hear of a checkpoint after it is written.
    listeners.add(reporter);
    if (board != null) {
      listeners.add(board);
    }
    return listeners;
  }

  /** Says how the device was asked for steps. */
  private static String launches(Step step) {
    if (step.isOneLaunch()) {
      return "Up to %s are one launch".formatted(Tables.count(step.atOnce(), "step"));
    }
    OptionalInt nodes = step.nodes();
    return nodes.isPresent()
        ? "A step is a CUDA graph of " + Tables.count(nodes.getAsInt(), "node")
        : "A step is not recorded: each operation is asked for by itself";
  }

  /** Says what the loss scale did in {@code steps} steps; empty if there is none. */
  private String lossScale(float[] lossScale, int steps) {
    if (lossScale.length == 0) {
      return "";
    }
    float scale = lossScale[LossScale.SCALE];
    int skipped = LossScale.skipped(lossScale);
    return "Loss scale %s, %s of %d step%s skipped%s."
        .formatted(
            new BigDecimal(scale).toPlainString(),
            skipped == 0 ? "none" : skipped,
            steps,
            steps == 1 ? "" : "s",
            skipped == 0 ? "" : ": their gradients were not finite in " + ops.precision().label());
  }

  /** Says what the validation set led to; empty if nothing. */
  private String outcome(Trainer trainer) {
    Selection selection = settings().validation().selection();
    String monitor = selection.monitor().name().toLowerCase(Locale.ROOT);
    String ended =
        trainer.endedEarly()
            ? "Stopped early: no better validation %s for %s. "
                .formatted(monitor, Tables.count(selection.patience(), "epoch"))
            : "";
    String kept =
        trainer.best().isEmpty()
            ? ""
            : "The weights of epoch %d, the best by validation %s, are kept."
                .formatted(trainer.bestEpoch(), monitor);
    return (ended + kept).strip();
  }

  private Evaluator evaluator(Parameters parameters, ExampleSet set) {
    return new Evaluator(
        parameters, set, data.form().scaling(), settings().recording().testBatchSize());
  }

  private Result evaluate(
      Parameters parameters, Metrics metrics, Optional<RunFolder> files, Trained trained) {
    Score tested =
        trained.tested.orElseGet(
            () -> evaluation(parameters, data.test(), Optional.of(trained.answers)));
    // The update of the last step may have diverged, which no step's loss shows.
    if (!Double.isFinite(tested.loss())) {
      throw new DivergedException(metrics.epochsDone(), metrics.stepsDone(), tested.loss());
    }
    List<String> labels = data.form().labels();
    metrics.tested(tested, labels, Calibration.of(trained.answers, data.test().labels()));
    reporter.line(Tables.answers(tested, labels));
    Optional<Score> held =
        data.validation().map(set -> told("validation", "Validation", set, parameters, metrics));
    if (settings().recording().evaluatesTraining()) {
      told("train", "Training", data.train(), parameters, metrics);
    }
    Optional<Importance> importance = importance(parameters, metrics, files, tested);
    List<String> warnings = warnings(metrics.epochs(), tested);
    warnings.forEach(metrics::warn);
    var network = new ModelFile(data.shape(), data.form(), parameters.read());
    if (files.isPresent()) {
      Path model = files.get().done(network, trained.answers, trained.outcome);
      reporter.line(
          Printable.oneLine("Saved " + model + ", report.html, metrics.json and metrics.csv"));
    }
    warnings.forEach(reporter::warning);
    reporter.result(Tables.result("Test", tested));
    return new Result(metrics, network, tested, held, importance);
  }

  /** Measures and tells the importance of a table's columns, if the settings ask for it. */
  private Optional<Importance> importance(
      Parameters parameters, Metrics metrics, Optional<RunFolder> files, Score tested) {
    if (!settings().recording().importance()) {
      return Optional.empty();
    }
    try {
      Importance importance =
          Importance.of(
              data.test(),
              tested,
              set -> evaluation(parameters, set, Optional.empty()),
              settings().seed(),
              (done, all) -> {
                if (stop.getAsBoolean()) {
                  throw new StoppedException(metrics.epochsDone(), metrics.stepsDone());
                }
                reporter.importanceAt(done, all);
              });
      metrics.measured(importance);
      reporter.line(Tables.importance(importance));
      return Optional.of(importance);
    } catch (StoppedException e) {
      throw files.isEmpty() ? e : files.get().stopped(parameters, e);
    }
  }

  /** Evaluates a set, notes the result under {@code key}, and tells it. */
  private Score told(
      String key, String name, ExampleSet set, Parameters parameters, Metrics metrics) {
    Score result = evaluation(parameters, set, Optional.empty());
    metrics.evaluated(key, result, data.form().labels());
    reporter.line(Tables.result(name, result));
    return result;
  }

  /** Says what is probably wrong with a network that was trained for more than one step. */
  private List<String> warnings(List<Trainer.EpochResult> epochs, Score tested) {
    if (epochs.isEmpty() || epochs.get(epochs.size() - 1).steps() < 2) {
      return List.of();
    }
    double last = epochs.get(epochs.size() - 1).train().loss();
    Optional<String> loss = Warnings.ofLoss(last, tested, settings().rate().base());
    return Stream.of(
            loss,
            Warnings.ofAnswers(
                tested, data.shape(), data.form().labels(), loss.isPresent(), data.train()))
        .flatMap(Optional::stream)
        .toList();
  }

  /** Evaluates a set, and fills the answers to its examples if they are wanted. */
  private Score evaluation(Parameters parameters, ExampleSet set, Optional<Predictions> answers) {
    try (Evaluator evaluator = evaluator(parameters, set)) {
      return evaluator.run(answers);
    }
  }
}
