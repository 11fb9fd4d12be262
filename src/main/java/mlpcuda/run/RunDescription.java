package mlpcuda.run;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import mlpcuda.compute.Ops;
import mlpcuda.data.ExampleSet;
import mlpcuda.data.Layout;
import mlpcuda.preparation.ImageForm;
import mlpcuda.report.Build;
import mlpcuda.report.Host;
import mlpcuda.report.ShellCommand;
import mlpcuda.train.Course;
import mlpcuda.train.Selection;

/** Describes a run for its metrics and its first lines. */
public final class RunDescription {
  private RunDescription() {}

  /** Describes the device, and how it runs the steps of a run with those settings. */
  public static String device(Ops ops, RunData data, RunSettings settings) {
    return ops.description(settings.needs(data.shape(), data.train()));
  }

  /** The data set in a line: its sizes, the size of its images, its classes, its scaling. */
  static String examples(RunData data) {
    ExampleSet train = data.train();
    int classes = data.dataset().classes();
    return String.format(
        Locale.ROOT,
        "%s: %,d training%s and %,d test %s, %s, %s, %s scaling",
        data.dataset().name(),
        train.size(),
        data.validation()
            .map(set -> String.format(Locale.ROOT, ", %,d validation", set.size()))
            .orElse(""),
        data.test().size(),
        train.layout() instanceof Layout.Images ? "images" : "rows",
        train.layout(),
        classes == 1 ? "1 class" : classes + " classes",
        data.form().scaling().name());
  }

  /** The settings for {@code metrics.json}. */
  static Map<String, Object> settings(Ops ops, RunData data, RunState state) {
    RunSettings settings = state.plan().settings();
    var json = new LinkedHashMap<String, Object>();
    List<String> command = state.origin().command();
    if (!command.isEmpty()) {
      json.put("command", ShellCommand.of(System.getProperty("java.class.path"), command));
    }
    if (!state.origin().resumedWith().isEmpty()) {
      json.put("resumed_with", String.join(" ", state.origin().resumedWith()));
    }
    json.put("directory", System.getProperty("user.dir"));
    json.putAll(Host.json());
    json.put("version", Build.version());
    json.put("device", device(ops, data, settings));
    json.put("precision", ops.precision().label());
    putNetwork(json, data, settings);
    putTraining(json, settings);
    return json;
  }

  private static void putNetwork(Map<String, Object> json, RunData data, RunSettings settings) {
    json.put("dataset", data.dataset().name());
    json.put("training_examples", data.train().size());
    json.put("validation_examples", data.validation().map(ExampleSet::size).orElse(0));
    if (data.train().weights().isPresent()) {
      json.put("weighted_loss", true);
    }
    json.put("preset", settings.preset());
    json.put("layers", data.shape().sizes());
    json.put("parameters", data.shape().parameters());
    json.put("activation", data.shape().hidden().label());
    json.put("output_activation", data.shape().output().label());
    json.put("scaling", data.form().scaling().name());
    if (data.form() instanceof ImageForm images) {
      json.put("mean", images.scaling().mean());
      json.put("std", images.scaling().std());
      json.put("preparation", images.preparation().label());
      json.put("transpose", images.transposed());
      if (!images.inkWidth().isAsIs()) {
        json.put("ink_width", images.inkWidth().pixels());
      }
    }
    if (!data.form().labels().isEmpty()) {
      json.put("labels", data.form().labels());
    }
  }

  private static void putTraining(Map<String, Object> json, RunSettings settings) {
    Course course = settings.course();
    Selection selection = settings.validation().selection();
    json.put("batch_size", course.batchSize());
    json.put("test_batch_size", settings.recording().testBatchSize());
    json.put("epochs", course.epochs());
    json.put("learning_rate", settings.rate().base());
    json.put("schedule", settings.rate().schedule().toString());
    json.put("warmup", settings.rate().warmup());
    json.put("optimizer", settings.learning().optimizer().toString());
    json.put("clip_grad_norm", settings.clip());
    json.put("dropout", settings.regularisation().dropouts());
    json.put("label_smoothing", settings.learning().smoothing());
    settings.learning().classWeights().ifPresent(w -> json.put("class_weights", w.toString()));
    settings.learning().augmentation().ifPresent(of -> json.put("augment", of.toString()));
    settings.learning().ema().ifPresent(decay -> json.put("ema", decay));
    json.put("early_stopping", selection.patience());
    json.put("save_best", selection.keepBest());
    json.put("monitor", selection.monitor().name().toLowerCase(Locale.ROOT));
    json.put("seed", settings.seed());
    json.put("shuffle", course.shuffle());
    json.put("max_steps", course.maxSteps() == Course.NO_LIMIT ? null : course.maxSteps());
    json.put("log_interval", settings.recording().logInterval());
    json.put("init", settings.network().init().orElse(null));
  }
}
