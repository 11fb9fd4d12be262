package mlpcuda.cli;

import com.fasterxml.jackson.jr.ob.JSON;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import mlpcuda.compute.LossScale;
import mlpcuda.error.BadFileException;
import mlpcuda.train.EarlyStopping;
import mlpcuda.train.Plateau;
import mlpcuda.train.Progress;

/**
 * The text of a checkpoint: how the run was begun, its position, its measurements.
 *
 * @param args the command line of the run
 * @param device the device that it began on, in words
 * @param gpu the index of the GPU that it runs on; −1: the CPU
 * @param threads the threads of the CPU device
 * @param examples the checksum of the training examples
 * @param progress the position; its {@code best} is empty: the checkpoint keeps that as tensors
 * @param metrics the state of {@link mlpcuda.report.Metrics}
 */
record RunState(
    List<String> args,
    String device,
    int gpu,
    int threads,
    long examples,
    Progress progress,
    Map<String, Object> metrics) {

  /** The state of this run at a later position. */
  RunState at(Progress progress, Map<String, Object> metrics) {
    return new RunState(args, device, gpu, threads, examples, progress, metrics);
  }

  /** The state of this run with other arguments. */
  RunState with(List<String> args) {
    return new RunState(args, device, gpu, threads, examples, progress, metrics);
  }

  /** The state of this run on that GPU, or, for −1, on that many threads of the CPU. */
  RunState on(int gpu, int threads) {
    return new RunState(args, device, gpu, threads, examples, progress, metrics);
  }

  /**
   * Writes the state as JSON. Real numbers of the progress are texts: they may be infinite, and
   * must stay exact.
   */
  String json() {
    var at = new LinkedHashMap<String, Object>();
    at.put("epoch", progress.epoch());
    at.put("batch", progress.batch());
    at.put("steps", progress.steps());
    at.put("loss_sum", Double.toString(progress.lossSum()));
    at.put("right_sum", Double.toString(progress.rightSum()));
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
    var json = new LinkedHashMap<String, Object>();
    json.put("args", args);
    json.put("device", device);
    json.put("gpu", gpu);
    json.put("threads", threads);
    json.put("examples", examples);
    json.put("progress", at);
    json.put("metrics", metrics);
    try {
      return JSON.std.asString(json);
    } catch (IOException e) {
      throw new UncheckedIOException(e); // it writes to memory
    }
  }

  /**
   * Parses a state that {@link #json} wrote.
   *
   * @param best the checkpoint's tensors of that name
   * @param file the checkpoint's file, for the message
   * @throws BadFileException if the text is anything else
   */
  static RunState parse(String json, List<float[]> best, Path file) {
    try {
      Map<String, Object> all = JSON.std.mapFrom(json);
      Map<?, ?> at = (Map<?, ?>) all.get("progress");
      var progress =
          new Progress(
              whole(at, "epoch", 1),
              whole(at, "batch", 0),
              whole(at, "steps", 0),
              real(at, "loss_sum"),
              real(at, "right_sum"),
              new Plateau.State(
                  real(at, "plateau_best"),
                  whole(at, "plateau_bad_epochs", 0),
                  real(at, "plateau_factor")),
              new EarlyStopping.State(
                  real(at, "stopping_best"),
                  whole(at, "stopping_best_epoch", 0),
                  whole(at, "stopping_epochs", 0)),
              best,
              lossScale(at.get("loss_scale")));
      @SuppressWarnings("unchecked")
      var metrics = (Map<String, Object>) all.get("metrics");
      return new RunState(
          ((List<?>) all.get("args"))
              .stream().map(String.class::cast).map(Objects::requireNonNull).toList(),
          Objects.requireNonNull((String) all.get("device")),
          whole(all, "gpu", -1),
          whole(all, "threads", 1),
          ((Number) all.get("examples")).longValue(),
          progress,
          metrics);
    } catch (IOException | ClassCastException | NullPointerException | NumberFormatException e) {
      throw new BadFileException(
          "%s: its state must be what 'train' writes, found something else".formatted(file));
    }
  }

  /** The state of the loss scale; empty if the run has none, or its version did not write one. */
  private static float[] lossScale(Object list) {
    List<?> texts = list == null ? List.of() : (List<?>) list;
    float[] state = new float[texts.size()];
    for (int i = 0; i < state.length; i++) {
      state[i] = Float.parseFloat((String) texts.get(i));
    }
    if (list != null && !LossScale.isState(state)) {
      throw new NumberFormatException("loss_scale");
    }
    return state;
  }

  private static int whole(Map<?, ?> map, String key, int least) {
    int number = (Integer) map.get(key);
    if (number < least) {
      throw new NumberFormatException(key);
    }
    return number;
  }

  private static double real(Map<?, ?> map, String key) {
    return Double.parseDouble((String) map.get(key));
  }
}
