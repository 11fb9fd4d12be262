package mlpcuda.run;

import com.fasterxml.jackson.jr.ob.JSON;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import mlpcuda.compute.LossScale;
import mlpcuda.compute.Ops;
import mlpcuda.error.BadFileException;
import mlpcuda.train.EarlyStopping;
import mlpcuda.train.Plateau;
import mlpcuda.train.Progress;

/**
 * The text of a checkpoint: what the run is to do, how it began, its position, its measurements.
 *
 * @param plan what the run is to do
 * @param origin how the run began
 * @param examples the checksum of the training examples
 * @param progress the position; its {@code best} is empty: the checkpoint keeps that as tensors
 * @param metrics the state of {@link mlpcuda.report.Metrics}
 */
public record RunState(
    RunPlan plan, Origin origin, long examples, Progress progress, Map<String, Object> metrics) {
  /** The version of the text that {@link #json} writes. */
  private static final int VERSION = 2;

  /**
   * How a run began, for the record: nothing of it is read again.
   *
   * @param command the words of the command line; empty if a program called the library
   * @param resumedWith the options that later command lines have changed
   * @param device the device that it began on, in words
   */
  public record Origin(List<String> command, List<String> resumedWith, String device) {
    /** The origin of a run that begins on that device. */
    public static Origin of(List<String> command, String device) {
      return new Origin(command, List.of(), device);
    }
  }

  /** Reads the plan of a run that a version before 0.2.0 began, which kept its command line. */
  public interface FormerArguments {
    /**
     * Returns the plan that the arguments mean.
     *
     * @param gpu the index of the GPU that the run is on; −1: the CPU
     * @param threads the threads of the CPU device
     * @param file the checkpoint's file, for the message
     * @throws BadFileException if they are not a run's
     */
    RunPlan plan(List<String> args, int gpu, int threads, Path file);
  }

  /**
   * The state of a run that begins.
   *
   * @param command the words of the command line; empty if a program called the library
   */
  public static RunState begin(RunPlan plan, RunData data, Ops ops, List<String> command) {
    RunSettings settings = plan.settings();
    return new RunState(
        plan,
        Origin.of(command, RunDescription.device(ops, data, settings)),
        data.all().checksum(),
        Progress.begin(
            settings.validation().selection().monitor(), LossScale.initial(ops.precision())),
        Map.of());
  }

  /** The state of this run at a later position. */
  RunState at(Progress progress, Map<String, Object> metrics) {
    return new RunState(plan, origin, examples, progress, metrics);
  }

  /** The state of this run with another plan, which those options of a command line asked for. */
  RunState with(RunPlan other, List<String> options) {
    var all = new ArrayList<>(origin.resumedWith);
    all.addAll(options);
    return new RunState(
        other, new Origin(origin.command, all, origin.device), examples, progress, metrics);
  }

  /**
   * Writes the state as JSON. Real numbers of the progress are texts: they may be infinite, and
   * must stay exact.
   */
  String json() {
    var json = new LinkedHashMap<String, Object>();
    json.put("version", VERSION);
    json.putAll(PlanJson.write(plan));
    json.put("command", origin.command);
    json.put("resumed_with", origin.resumedWith);
    json.put("began_on", origin.device);
    json.put("examples", examples);
    json.put("progress", progressJson());
    json.put("metrics", metrics);
    try {
      return JSON.std.with(JSON.Feature.WRITE_NULL_PROPERTIES).asString(json);
    } catch (IOException e) {
      throw new UncheckedIOException(e); // a write to memory does not fail
    }
  }

  private Map<String, Object> progressJson() {
    var at = new LinkedHashMap<String, Object>();
    at.put("epoch", progress.epoch());
    at.put("batch", progress.batch());
    at.put("steps", progress.steps());
    at.put("loss_sum", Double.toString(progress.sums().loss()));
    at.put("right_sum", Double.toString(progress.sums().right()));
    at.put("plateau_best", Double.toString(progress.plateau().best()));
    at.put("plateau_bad_epochs", progress.plateau().badEpochs());
    at.put("plateau_factor", Double.toString(progress.plateau().factor()));
    at.put("stopping_best", Double.toString(progress.stopping().best()));
    at.put("stopping_best_epoch", progress.stopping().bestEpoch());
    at.put("stopping_epochs", progress.stopping().epochs());
    if (progress.lossScale().length > 0) {
      var lossScale = new ArrayList<String>();
      for (float element : progress.lossScale()) {
        lossScale.add(Float.toString(element));
      }
      at.put("loss_scale", lossScale);
    }
    return at;
  }

  /**
   * Parses a state that {@link #json} wrote, or one of version 0.1.0, which had the arguments of
   * the command line in place of the plan.
   *
   * @param best the checkpoint's tensors of that name
   * @param former reads such arguments
   * @param file the checkpoint's file, for the message
   * @throws BadFileException if the text is anything else
   */
  static RunState parse(String json, List<float[]> best, FormerArguments former, Path file) {
    try {
      Map<String, Object> found = JSON.std.mapFrom(json);
      var all = new Fields(found == null ? Map.of() : found); // the text may be "null"
      Progress progress = progress(all.fields("progress"), best);
      Map<String, Object> metrics = all.map("metrics");
      long examples = all.longWhole("examples");
      if (!all.values().containsKey("version") && all.values().containsKey("args")) {
        List<String> args = List.copyOf(all.list("args", String.class));
        var origin = Origin.of(args, all.text("device"));
        RunPlan plan = former.plan(args, all.whole("gpu", -1), all.whole("threads", 1), file);
        return new RunState(plan, origin, examples, progress, metrics);
      }
      if (all.whole("version", 1) != VERSION) {
        throw new BadFileException(
            "%s: its state must be of version %d, found version %d; a newer mlp-cuda reads it"
                .formatted(file, VERSION, all.whole("version", 1)));
      }
      var origin =
          new Origin(
              List.copyOf(all.list("command", String.class)),
              List.copyOf(all.list("resumed_with", String.class)),
              all.text("began_on"));
      return new RunState(PlanJson.read(all), origin, examples, progress, metrics);
    } catch (IOException | IllegalArgumentException e) {
      throw new BadFileException(
          "%s: its state must be what 'train' writes, found something else".formatted(file), e);
    }
  }

  private static Progress progress(Fields at, List<float[]> best) {
    return new Progress(
        at.whole("epoch", 1),
        at.whole("batch", 0),
        at.whole("steps", 0),
        new Progress.Sums(at.realText("loss_sum"), at.realText("right_sum")),
        new Plateau.State(
            at.realText("plateau_best"),
            at.whole("plateau_bad_epochs", 0),
            at.realText("plateau_factor")),
        new EarlyStopping.State(
            at.realText("stopping_best"),
            at.whole("stopping_best_epoch", 0),
            at.whole("stopping_epochs", 0)),
        best,
        lossScale(at));
  }

  /** The state of the loss scale; empty if the run has none, or its version did not write one. */
  private static float[] lossScale(Fields at) {
    if (at.values().get("loss_scale") == null) {
      return new float[0];
    }
    List<String> texts = at.list("loss_scale", String.class);
    float[] state = new float[texts.size()];
    for (int i = 0; i < state.length; i++) {
      state[i] = Float.parseFloat(texts.get(i));
    }
    if (!LossScale.isState(state)) {
      throw new IllegalArgumentException("loss_scale is malformed");
    }
    return state;
  }
}
