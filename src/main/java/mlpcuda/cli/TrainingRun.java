package mlpcuda.cli;

import java.math.BigDecimal;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import mlpcuda.compute.LossScale;
import mlpcuda.compute.Ops;
import mlpcuda.compute.OptimizerSettings;
import mlpcuda.data.Dataset;
import mlpcuda.data.ImageSet;
import mlpcuda.error.DivergedException;
import mlpcuda.error.StoppedException;
import mlpcuda.net.Batches;
import mlpcuda.net.MlpShape;
import mlpcuda.net.Optimizer;
import mlpcuda.net.Parameters;
import mlpcuda.net.Regularisation;
import mlpcuda.net.Step;
import mlpcuda.preparation.ImageForm;
import mlpcuda.preparation.Preparation;
import mlpcuda.report.Host;
import mlpcuda.report.Metrics;
import mlpcuda.report.TensorBoard;
import mlpcuda.train.Evaluator;
import mlpcuda.train.Predictions;
import mlpcuda.train.Progress;
import mlpcuda.train.Score;
import mlpcuda.train.Trainer;

/**
 * One run, which trains, evaluates and saves a network.
 *
 * @param dataset the data set of the examples
 * @param train the examples to learn from, perhaps a part of the data set's
 * @param validation the examples held back; null: there are none
 * @param form the images that the network takes
 * @param initial the weights to begin with, in the order of {@link Parameters#tensors}; null: by
 *     seed
 * @param folder the folder for the files; null: none are written
 * @param events the folder of TensorBoard's events; null: none are written
 * @param state the state of a run that begins, or of one that goes on
 * @param from the resumption that the run goes on from; null: the run begins
 * @param startUp the times of the program's start
 * @param stop asked before each step whether to end the run
 */
record TrainingRun(
    Terminal terminal,
    Ops ops,
    Dataset dataset,
    ImageSet train,
    ImageSet validation,
    MlpShape shape,
    ImageForm form,
    List<float[]> initial,
    Settings settings,
    Path folder,
    Path events,
    RunState state,
    Resumption from,
    StartUp startUp,
    BooleanSupplier stop) {

  /**
   * The settings that options and preset give.
   *
   * @param clip the limit of the gradients' norm; 0: there is none
   * @param init the file of the initial weights, for the record; null: by seed
   * @param evaluateTraining whether the training examples are evaluated too
   * @param testAtEnd whether the test set is not evaluated before the end
   * @param verbose whether to report the times of the start and the launches of a step
   * @param howToResume the options that resume the run; null if it writes nothing
   */
  record Settings(
      String preset,
      Trainer.Settings trainer,
      OptimizerSettings optimizer,
      Regularisation regularisation,
      double clip,
      int testBatchSize,
      String init,
      boolean evaluateTraining,
      boolean testAtEnd,
      boolean verbose,
      String howToResume) {}

  /**
   * Runs, and returns the metrics.
   *
   * @throws StoppedException if told to stop: before anything was written, or after a checkpoint
   */
  Metrics run() {
    // A process that was asked is waited for: from here on a stop leaves a checkpoint.
    if (stop instanceof Stop process && process.getAsBoolean()) {
      throw new StoppedException(state.progress().epoch(), state.progress().steps());
    }
    terminal.line(
        "%s: %,d training%s and %,d test images, %dx%d, %s, %s scaling",
        dataset.name(),
        train.size(),
        validation == null ? "" : ", %,d validation".formatted(validation.size()),
        dataset.test().size(),
        train.rows(),
        train.cols(),
        dataset.classes() == 1 ? "1 class" : dataset.classes() + " classes",
        form.scaling().name());
    if (form.preparation() != Preparation.usual(form.rows(), form.cols())) {
      terminal.line("%s", preparation());
    }
    var metrics = new Metrics(describe(), settings.trainer.logInterval());
    Warnings.ofLabels(train, dataset.test(), shape.classes())
        .ifPresent(
            warning -> {
              metrics.warn(warning);
              terminal.always(warning);
            });
    terminal.line(Tables.layers(shape));
    metrics.checkpoint(state.progress());
    RunFolder files = folder == null ? null : new RunFolder(folder, this, metrics);
    if (from == null && files != null && files.holdsARun()) {
      terminal.line("%s: the run that it holds is replaced", folder);
    }
    boolean ended = from != null && settings.trainer.ended(state.progress());
    boolean written = ended && RunFolder.holdsTheEnd(folder);
    try (TensorBoard board =
            written ? null : tensorBoard(); // opened first: a bad folder must cost no training
        var parameters = new Parameters(ops, shape)) {
      if (from != null) {
        files.restore();
        terminal.line(ended ? finished(metrics) : goingOn());
        parameters.write(from.checkpoint().weights());
        parameters.writeState(new Parameters.State(from.checkpoint().m(), from.checkpoint().v()));
      } else if (initial != null) {
        parameters.write(initial);
      } else {
        parameters.initialise(settings.trainer.seed());
      }
      try {
        RunFolder kept = written ? null : files; // nothing is written twice
        Trained trained = train(parameters, metrics, kept, board);
        Score answers = evaluate(parameters, metrics, kept, trained);
        if (board != null) { // written last: if it fails, all else is done
          board.tested(answers, settings.testAtEnd || metrics.epochsDone() == 0);
        }
      } catch (DivergedException e) {
        metrics.diverged(e);
        if (files != null) {
          files.diverged(e);
        }
        throw e;
      }
    }
    return metrics;
  }

  /** Describes the device, and how it runs the steps of a run with those settings. */
  static String device(Ops ops, MlpShape shape, ImageSet train, int batchSize, double clip) {
    return ops.description(Step.needs(shape, largestBatch(train, batchSize), clip > 0));
  }

  private static int largestBatch(ImageSet train, int batchSize) {
    return Math.min(batchSize, train.size());
  }

  private String preparation() {
    return form.preparation() == Preparation.AS_IS
        ? "The model will have pictures resized as they are, not brought to MNIST's form (--prepare"
            + " as-is)"
        : "The model will have pictures brought to MNIST's form (--prepare mnist-form)";
  }

  private String goingOn() {
    return "Going on in epoch %d, after step %d"
        .formatted(state.progress().epoch(), state.progress().steps());
  }

  /** Says that a run is at its end, and which option moves that. */
  private String finished(Metrics metrics) {
    Progress at = state.progress();
    String option = "--early-stopping with more patience";
    if (at.epoch() > settings.trainer.epochs()) {
      option = "--epochs with a larger number";
    } else if (at.steps() >= settings.trainer.maxSteps()) {
      option = "--max-steps with a larger number";
    }
    return "The run in %s is finished, after %s and %s: %s goes on with it"
        .formatted(
            folder,
            Tables.count(metrics.epochsDone(), "epoch"),
            Tables.count(at.steps(), "step"),
            option);
  }

  private TensorBoard tensorBoard() {
    return events == null
        ? null
        : new TensorBoard(events, settings.trainer.logInterval(), state.progress().steps());
  }

  /**
   * The result of training.
   *
   * @param outcome what the validation set and the loss scale led to; empty if nothing
   * @param answers the answers to the test set, if {@code tested} is known; else space for them
   * @param tested the test set's result for the trained network; null: it was not evaluated yet
   */
  private record Trained(String outcome, Predictions answers, Score tested) {}

  private Trained train(
      Parameters parameters, Metrics metrics, RunFolder files, TensorBoard board) {
    int B = largestBatch(train, settings.trainer.batchSize());
    int perEpoch = (train.size() - 1) / settings.trainer.batchSize() + 1;
    String launches;
    List<float[]> best;
    String outcome;
    String scaled;
    var answers = new Predictions(dataset.test().size());
    Score tested;
    int atOnce = ops.stepsAtOnce(Step.needs(shape, B, settings.clip > 0));
    try (var examples = new Batches(parameters, train, form.scaling(), B, atOnce);
        var optimizer = new Optimizer(parameters, settings.optimizer, settings.clip);
        var step = new Step(optimizer, examples, settings.regularisation, perEpoch);
        Evaluator evaluator = validation == null ? null : evaluator(parameters, validation);
        Evaluator test = settings.testAtEnd ? null : evaluator(parameters, dataset.test());
        var display =
            new TrainingDisplay(
                terminal, settings.trainer.epochs(), settings.trainer.logInterval())) {
      var saving =
          new Trainer.Listener() {
            @Override
            public void checkpoint(Progress progress) {
              files.save(parameters, progress);
            }
          };
      var listeners = new ArrayList<Trainer.Listener>(List.of(metrics, display));
      if (files != null) {
        listeners.add(saving);
      }
      if (board != null) {
        // added last, because it must hear of a checkpoint after it is written
        listeners.add(board);
      }
      var trainer =
          new Trainer(settings.trainer, step, parameters, train.size(), evaluator, listeners, stop);
      if (test != null) {
        trainer.testEachEpoch(test, answers);
      }
      if (from != null) {
        trainer.resume(state.progress());
        if (files != null) {
          if (from.changed()) {
            // they have the arguments that the run goes on with
            files.save(parameters, state.progress());
          }
          files.goesOn(parameters);
        }
      } else if (files != null) {
        // otherwise a run that is killed early would leave an older run's files
        files.save(parameters, state.progress());
      }
      startUp.ended("network and files");
      if (settings.verbose) {
        terminal.line("%s", startUp);
      }
      try {
        trainer.run();
      } catch (StoppedException e) {
        throw files == null ? e : files.stopped(parameters, e);
      }
      launches = launches(step);
      best = trainer.best();
      tested = trainer.tested();
      outcome = outcome(trainer);
      scaled = lossScale(step.lossScale(), trainer.steps());
    }
    for (String line : List.of(outcome, scaled)) { // printed once the bars are closed
      if (!line.isEmpty()) {
        terminal.line(line);
      }
    }
    if (!best.isEmpty()) {
      parameters.write(best);
    }
    if (settings.verbose) {
      terminal.line(launches);
    }
    return new Trained((outcome + " " + scaled).strip(), answers, tested);
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
    String monitor = settings.trainer.monitor().name().toLowerCase(Locale.ROOT);
    String ended =
        trainer.endedEarly()
            ? "Stopped early: no better validation %s for %s. "
                .formatted(monitor, Tables.count(settings.trainer.patience(), "epoch"))
            : "";
    String kept =
        trainer.best().isEmpty()
            ? ""
            : "The weights of epoch %d, the best by validation %s, are kept."
                .formatted(trainer.bestEpoch(), monitor);
    return (ended + kept).strip();
  }

  private Evaluator evaluator(Parameters parameters, ImageSet set) {
    return new Evaluator(parameters, set, form.scaling(), settings.testBatchSize);
  }

  private Score evaluate(Parameters parameters, Metrics metrics, RunFolder files, Trained trained) {
    Score tested =
        trained.tested != null
            ? trained.tested
            : evaluation(parameters, dataset.test(), trained.answers);
    // the last step's update diverged, which no step's loss shows
    if (!Double.isFinite(tested.loss())) {
      throw new DivergedException(metrics.epochsDone(), metrics.stepsDone(), tested.loss());
    }
    metrics.evaluated(Metrics.TEST, tested);
    terminal.line(Tables.answers(tested));
    if (validation != null) {
      Score held = evaluation(parameters, validation, null);
      metrics.evaluated("validation", held);
      terminal.line(Tables.result("Validation", held));
    }
    if (settings.evaluateTraining) {
      Score learnt = evaluation(parameters, train, null);
      metrics.evaluated("train", learnt);
      terminal.line(Tables.result("Training", learnt));
    }
    List<String> warnings = warnings(metrics.epochs(), tested);
    warnings.forEach(metrics::warn);
    if (files != null) {
      terminal.line(
          "Saved %s, report.html, metrics.json and metrics.csv",
          files.done(parameters, trained.answers, trained.outcome));
    }
    warnings.forEach(terminal::always);
    terminal.always(Tables.result("Test", tested));
    return tested;
  }

  /** Says what is probably wrong with a network that was trained for more than one step. */
  private List<String> warnings(List<Trainer.EpochResult> epochs, Score tested) {
    if (epochs.isEmpty() || epochs.get(epochs.size() - 1).steps() < 2) {
      return List.of();
    }
    double last = epochs.get(epochs.size() - 1).loss();
    Optional<String> loss = Warnings.ofLoss(last, tested, settings.trainer.learningRate());
    return Stream.of(loss, Warnings.ofAnswers(tested, shape, loss.isPresent(), train))
        .flatMap(Optional::stream)
        .toList();
  }

  /** Evaluates a set, and fills the answers to its examples unless they are null. */
  private Score evaluation(Parameters parameters, ImageSet set, Predictions answers) {
    try (Evaluator evaluator = evaluator(parameters, set)) {
      return evaluator.run(answers);
    }
  }

  /** The settings for {@code metrics.json}. */
  private Map<String, Object> describe() {
    Trainer.Settings trainer = settings.trainer;
    var json = new LinkedHashMap<String, Object>();
    json.put("command", ShellCommand.of(System.getProperty("java.class.path"), state.args()));
    json.put("directory", System.getProperty("user.dir"));
    json.putAll(Host.json());
    json.put("version", Main.version());
    json.put("device", device(ops, shape, train, settings.trainer.batchSize(), settings.clip));
    json.put("precision", ops.precision().label());
    json.put("dataset", dataset.name());
    json.put("training_examples", train.size());
    json.put("validation_examples", validation == null ? 0 : validation.size());
    json.put("preset", settings.preset);
    json.put("layers", shape.sizes());
    json.put("parameters", shape.parameters());
    json.put("activation", shape.hidden().label());
    json.put("output_activation", shape.output().label());
    json.put("scaling", form.scaling().name());
    json.put("mean", form.scaling().mean());
    json.put("std", form.scaling().std());
    json.put("preparation", form.preparation().label());
    json.put("transpose", form.transposed());
    json.put("batch_size", trainer.batchSize());
    json.put("test_batch_size", settings.testBatchSize);
    json.put("epochs", trainer.epochs());
    json.put("learning_rate", trainer.learningRate());
    json.put("schedule", trainer.schedule().toString());
    json.put("warmup", trainer.warmup());
    json.put("optimizer", settings.optimizer.toString());
    json.put("clip_grad_norm", settings.clip);
    json.put("dropout", settings.regularisation.dropouts());
    json.put("label_smoothing", settings.regularisation.smoothing());
    json.put("early_stopping", trainer.patience());
    json.put("save_best", trainer.keepBest());
    json.put("monitor", trainer.monitor().name().toLowerCase(Locale.ROOT));
    json.put("seed", trainer.seed());
    json.put("shuffle", trainer.shuffle());
    json.put("max_steps", trainer.maxSteps() == Integer.MAX_VALUE ? null : trainer.maxSteps());
    json.put("log_interval", trainer.logInterval());
    json.put("init", settings.init);
    return json;
  }
}
