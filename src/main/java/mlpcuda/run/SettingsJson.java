package mlpcuda.run;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import mlpcuda.compute.Activation;
import mlpcuda.compute.AdamSettings;
import mlpcuda.compute.Distortion;
import mlpcuda.compute.OptimizerSettings;
import mlpcuda.compute.SgdSettings;
import mlpcuda.data.ClassWeights;
import mlpcuda.net.Augmentation;
import mlpcuda.preparation.Preparation;
import mlpcuda.run.RunSettings.Architecture;
import mlpcuda.run.RunSettings.Learning;
import mlpcuda.run.RunSettings.Recording;
import mlpcuda.run.RunSettings.Validation;
import mlpcuda.train.Course;
import mlpcuda.train.EarlyStopping.Monitor;
import mlpcuda.train.LearningRate;
import mlpcuda.train.Schedule;
import mlpcuda.train.Selection;

/** The JSON of a run's settings in a checkpoint, version 2 of its state. */
final class SettingsJson {
  private SettingsJson() {}

  /** Writes the settings as JSON objects. */
  static Map<String, Object> write(RunSettings settings) {
    var json = new LinkedHashMap<String, Object>();
    json.put("preset", settings.preset());
    json.put("network", write(settings.network()));
    json.put("learning_rate", write(settings.rate()));
    json.put("learning", write(settings.learning()));
    json.put("course", write(settings.course()));
    json.put("validation", write(settings.validation()));
    json.put("recording", write(settings.recording()));
    json.put("seed", settings.seed());
    return json;
  }

  /**
   * Reads settings that {@link #write} wrote.
   *
   * @throws IllegalArgumentException if they are anything else
   */
  static RunSettings read(Fields json) {
    return new RunSettings(
        json.text("preset"),
        architecture(json.fields("network")),
        rate(json.fields("learning_rate")),
        learning(json.fields("learning")),
        course(json.fields("course")),
        validation(json.fields("validation")),
        recording(json.fields("recording")),
        json.longWhole("seed"));
  }

  private static Map<String, Object> write(Architecture network) {
    var json = new LinkedHashMap<String, Object>();
    json.put("hidden", network.hidden());
    json.put("activation", network.activation().label());
    json.put("output_activation", network.output().label());
    json.put("scaling", network.scaling());
    json.put("preparation", network.preparation().map(Preparation::label).orElse(null));
    json.put("init", network.init().orElse(null));
    return json;
  }

  private static Architecture architecture(Fields json) {
    return new Architecture(
        json.list("hidden", Integer.class),
        Activation.of(json.text("activation")),
        Activation.of(json.text("output_activation")),
        json.text("scaling"),
        json.optionalText("preparation").map(Preparation::labelled),
        json.optionalText("init"));
  }

  private static Map<String, Object> write(LearningRate rate) {
    var json = new LinkedHashMap<String, Object>();
    json.put("base", rate.base());
    json.put("schedule", rate.schedule().toString());
    json.put("warmup", rate.warmup());
    return json;
  }

  private static LearningRate rate(Fields json) {
    return new LearningRate(
        json.real("base"), Schedule.parse(json.text("schedule")), json.whole("warmup", 0));
  }

  private static Map<String, Object> write(Learning learning) {
    var json = new LinkedHashMap<String, Object>();
    json.put("optimizer", write(learning.optimizer()));
    json.put("clip_grad_norm", learning.clip().isPresent() ? learning.clip().getAsDouble() : null);
    json.put("dropout", learning.dropout());
    json.put("label_smoothing", learning.smoothing());
    learning.classWeights().ifPresent(w -> json.put("class_weights", w.toString()));
    learning
        .augmentation()
        .ifPresent(
            of -> {
              json.put("augment", of.distortion().toString());
              json.put("augment_end", of.end());
            });
    learning.ema().ifPresent(decay -> json.put("ema", decay));
    return json;
  }

  private static Learning learning(Fields json) {
    List<Float> dropout =
        json.list("dropout", Number.class).stream().map(Number::floatValue).toList();
    return new Learning(
        optimizer(json.fields("optimizer")),
        optionalReal(json, "clip_grad_norm"),
        dropout,
        (float) json.real("label_smoothing"),
        json.optionalText("class_weights").map(ClassWeights::parse),
        json.optionalText("augment")
            .map(
                text -> new Augmentation(Distortion.parse(text), (float) json.real("augment_end"))),
        optionalReal(json, "ema"));
  }

  private static OptionalDouble optionalReal(Fields json, String name) {
    return json.values().get(name) == null
        ? OptionalDouble.empty()
        : OptionalDouble.of(json.real(name));
  }

  private static Map<String, Object> write(OptimizerSettings optimizer) {
    var json = new LinkedHashMap<String, Object>();
    if (optimizer instanceof AdamSettings adam) {
      json.put("name", adam.decoupled() ? "adamw" : "adam");
      json.put("beta1", adam.beta1());
      json.put("beta2", adam.beta2());
      json.put("eps", adam.eps());
      json.put("weight_decay", adam.weightDecay());
    } else if (optimizer instanceof SgdSettings sgd) {
      json.put("name", "sgd");
      json.put("momentum", sgd.momentum());
      json.put("nesterov", sgd.nesterov());
      json.put("weight_decay", sgd.weightDecay());
    }
    return json;
  }

  private static OptimizerSettings optimizer(Fields json) {
    String name = json.text("name");
    double weightDecay = json.real("weight_decay");
    return switch (name) {
      case "adam", "adamw" ->
          new AdamSettings(
              json.real("beta1"),
              json.real("beta2"),
              json.real("eps"),
              weightDecay,
              name.equals("adamw"));
      case "sgd" -> new SgdSettings(json.real("momentum"), json.flag("nesterov"), weightDecay);
      default -> throw new IllegalArgumentException("no optimizer is named " + name);
    };
  }

  private static Map<String, Object> write(Course course) {
    var json = new LinkedHashMap<String, Object>();
    json.put("epochs", course.epochs());
    json.put("max_steps", course.maxSteps());
    json.put("batch_size", course.batchSize());
    json.put("shuffle", course.shuffle());
    return json;
  }

  private static Course course(Fields json) {
    return new Course(
        json.whole("epochs", 0),
        json.whole("max_steps", 1),
        json.whole("batch_size", 1),
        json.flag("shuffle"));
  }

  private static Map<String, Object> write(Validation validation) {
    Selection selection = validation.selection();
    var json = new LinkedHashMap<String, Object>();
    json.put("amount", validation.amount().isPresent() ? validation.amount().getAsDouble() : null);
    json.put("monitor", selection.monitor().name().toLowerCase(Locale.ROOT));
    json.put("patience", selection.patience());
    json.put("keep_best", selection.keepBest());
    return json;
  }

  private static Validation validation(Fields json) {
    return new Validation(
        optionalReal(json, "amount"),
        new Selection(
            json.constant("monitor", Monitor.class),
            json.whole("patience", 0),
            json.flag("keep_best")));
  }

  private static Map<String, Object> write(Recording recording) {
    var json = new LinkedHashMap<String, Object>();
    json.put("log_interval", recording.logInterval());
    json.put("checkpoint_every", recording.checkpointEvery());
    json.put("test_batch_size", recording.testBatchSize());
    json.put("test_at_end", recording.testAtEnd());
    json.put("evaluates_training", recording.evaluatesTraining());
    json.put("importance", recording.importance());
    return json;
  }

  private static Recording recording(Fields json) {
    return new Recording(
        json.whole("log_interval", 1),
        json.whole("checkpoint_every", 0),
        json.whole("test_batch_size", 1),
        json.flag("test_at_end"),
        json.flag("evaluates_training"),
        // Older checkpoints do not have the setting, because nothing measured it.
        json.values().containsKey("importance") && json.flag("importance"));
  }
}
