package mlpcuda.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.function.BooleanSupplier;
import mlpcuda.compute.AdamSettings;
import mlpcuda.compute.Ops;
import mlpcuda.data.Dataset;
import mlpcuda.data.ImageSet;
import mlpcuda.data.Scaling;
import mlpcuda.model.ModelFile;
import mlpcuda.net.Examples;
import mlpcuda.net.Mlp;
import mlpcuda.net.MlpShape;
import mlpcuda.net.Optimizer;
import mlpcuda.net.Parameters;
import mlpcuda.net.Step;
import mlpcuda.report.Metrics;
import mlpcuda.train.DivergedException;
import mlpcuda.train.Evaluation;
import mlpcuda.train.Trainer;

/**
 * One run: trains, evaluates, saves.
 *
 * @param train the examples to learn from, a part of the data set's perhaps
 * @param initial weights to begin with, in the order of {@link Parameters#tensors}; null: by seed
 * @param folder for the files; null: none are written
 * @param stop asked before each step whether to end the run
 */
record TrainingRun(
    Terminal terminal,
    Ops ops,
    Dataset dataset,
    ImageSet train,
    MlpShape shape,
    Scaling scaling,
    List<float[]> initial,
    Settings settings,
    Path folder,
    BooleanSupplier stop) {

  /**
   * What options and preset came to.
   *
   * @param init file of the initial weights, for the record; null: by seed
   * @param evaluateTraining whether the training examples are evaluated too
   * @param verbose whether to say what a step asks of the device
   */
  record Settings(
      String preset,
      Trainer.Settings trainer,
      double learningRate,
      int testBatchSize,
      String init,
      boolean evaluateTraining,
      boolean verbose) {}

  private static final String MODEL = "model.safetensors";

  /** Runs; what was measured. */
  Metrics run() {
    terminal.line(
        "%s: %,d training and %,d test images, %dx%d, %d classes, %s scaling",
        dataset.name(),
        train.size(),
        dataset.test().size(),
        train.rows(),
        train.cols(),
        dataset.classes(),
        scaling.name());
    terminal.line(Tables.layers(shape));
    var metrics = new Metrics(describe(), settings.trainer.logInterval());
    try (var parameters = new Parameters(ops, shape)) {
      if (initial == null) {
        parameters.initialise(settings.trainer.seed());
      } else {
        parameters.write(initial);
      }
      try {
        train(parameters, metrics);
        evaluate(parameters, metrics);
      } catch (DivergedException e) {
        metrics.diverged(e);
        reportDiverged(metrics);
        throw e;
      }
    }
    return metrics;
  }

  private void train(Parameters parameters, Metrics metrics) {
    int B = Math.min(settings.trainer.batchSize(), train.size());
    OptionalInt nodes;
    try (Mlp mlp = Mlp.forTraining(ops, shape, parameters, B);
        Examples examples =
            new Examples(
                ops, shape, train.pixels(), train.labels(), B, scaling.scale(), scaling.shift());
        Optimizer adam = new Optimizer(ops, parameters, AdamSettings.DEFAULT, 0);
        Step step = new Step(ops, mlp, adam, examples, (train.size() - 1) / B + 1);
        var display =
            new TrainingDisplay(
                terminal, settings.trainer.epochs(), settings.trainer.logInterval())) {
      // The model of the last whole epoch stays, whatever ends the run.
      var saving =
          new Trainer.Listener() {
            @Override
            public void epochDone(Trainer.EpochResult result) {
              save(parameters, metrics);
            }
          };
      new Trainer(
              settings.trainer,
              step,
              train.size(),
              settings.learningRate,
              List.of(metrics, display, saving),
              stop)
          .run();
      nodes = step.nodes();
    }
    if (settings.verbose) {
      terminal.line(
          nodes.isPresent()
              ? "A step is a CUDA graph of %d nodes".formatted(nodes.getAsInt())
              : "A step is not recorded: each operation is asked for by itself");
    }
  }

  /** Writes what was measured, and says which model the folder holds. */
  private void reportDiverged(Metrics metrics) {
    if (folder == null) {
      return;
    }
    metrics.write(folder);
    Path model = folder.resolve(MODEL);
    if (metrics.epochsDone() > 0) {
      terminal.line("%s: the network after epoch %d", model, metrics.epochsDone());
    } else if (Files.exists(model)) {
      terminal.line("%s: left as an earlier run wrote it, for no epoch was done", model);
    }
  }

  private void evaluate(Parameters parameters, Metrics metrics) {
    Evaluation answers = answers(parameters, dataset.test());
    metrics.evaluated("test", answers);
    if (!Double.isFinite(answers.loss())) { // the last step's update, which no step has met
      throw new DivergedException(metrics.epochsDone(), metrics.stepsDone(), answers.loss());
    }
    terminal.line(Tables.answers(answers));
    if (settings.evaluateTraining) {
      Evaluation learnt = answers(parameters, train);
      metrics.evaluated("train", learnt);
      terminal.line(Tables.result("Training", learnt));
    }
    if (folder != null) {
      if (metrics.epochsDone() == 0) {
        save(parameters, metrics);
      } else {
        metrics.write(folder); // the model is the last epoch's, which is there
      }
      terminal.line("Saved %s, metrics.json and metrics.csv", folder.resolve(MODEL));
    }
    terminal.line(Tables.result("Test", answers));
  }

  private Evaluation answers(Parameters parameters, ImageSet set) {
    return Evaluation.of(ops, shape, parameters, set, scaling, settings.testBatchSize);
  }

  private void save(Parameters parameters, Metrics metrics) {
    if (folder == null) {
      return;
    }
    List<float[]> weights = parameters.read();
    for (float[] tensor : weights) {
      for (float weight : tensor) {
        if (!Float.isFinite(weight)) { // by an update whose loss no step has met yet
          throw new DivergedException(metrics.epochsDone(), metrics.stepsDone(), weight);
        }
      }
    }
    new ModelFile(shape, scaling, train.rows(), train.cols(), weights).write(folder.resolve(MODEL));
    metrics.write(folder);
  }

  /** The settings as {@code metrics.json} has them. */
  private Map<String, Object> describe() {
    var json = new LinkedHashMap<String, Object>();
    json.put("version", Main.version());
    json.put("device", ops.description());
    json.put("dataset", dataset.name());
    json.put("training_examples", train.size());
    json.put("preset", settings.preset);
    json.put("layers", shape.sizes());
    json.put("parameters", shape.parameters());
    json.put("activation", shape.hidden().label());
    json.put("output_activation", shape.output().label());
    json.put("scaling", scaling.name());
    json.put("mean", scaling.mean());
    json.put("std", scaling.std());
    json.put("batch_size", settings.trainer.batchSize());
    json.put("test_batch_size", settings.testBatchSize);
    json.put("epochs", settings.trainer.epochs());
    json.put("learning_rate", settings.learningRate);
    json.put("seed", settings.trainer.seed());
    json.put("shuffle", settings.trainer.shuffle());
    json.put("max_steps", settings.trainer.maxSteps());
    json.put("log_interval", settings.trainer.logInterval());
    json.put("init", settings.init);
    return json;
  }
}
