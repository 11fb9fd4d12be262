package mlpcuda.cli;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import mlpcuda.net.MlpShape;
import mlpcuda.preparation.ImageForm;
import mlpcuda.preparation.Prepared;
import mlpcuda.report.Printable;
import mlpcuda.train.AveragedPredictor;
import mlpcuda.train.ClassProbability;
import mlpcuda.train.Predictor;
import picocli.CommandLine;

/**
 * Pictures that wait for a network's answers. Many are answered at once, and each answer or refusal
 * is printed in the order in which the pictures came.
 */
final class PictureQueue {
  /**
   * A picture that was read or refused.
   *
   * @param name what messages call the picture
   * @param json the picture's entry in the JSON: its file now, its answer later
   * @param prepared what the network is shown; null if the picture was refused
   * @param error why the picture was refused; null if it was not
   */
  private record Input(String name, Map<String, Object> json, Prepared prepared, String error) {}

  /**
   * The greatest number of bytes of prepared pictures in memory at once, except for one picture.
   */
  private static final int BATCH_BYTES = 64 << 20;

  private final AveragedPredictor predictor;
  private final int batch;
  private final ImageForm form;
  private final boolean json;
  private final PrintWriter lines;
  private final PrintWriter err;
  private final Runnable beforeFirst;
  private final List<Input> waiting = new ArrayList<>(); // pictures that are not answered yet
  private final List<Map<String, Object>> images = new ArrayList<>(); // the JSON's answers
  private final List<Map<String, Object>> failures = new ArrayList<>(); // the JSON's refusals
  private int failed; // the number of pictures refused so far
  private boolean begun; // whether a picture has been answered

  /**
   * @param batch the number of pictures that are answered at once, at most
   * @param form the form of the images that the network takes, prepared as the pictures were
   * @param json whether the answers are kept for JSON and printed on standard error
   * @param command the command, whose outputs are printed to
   * @param beforeFirst runs once, before the first answer is printed
   */
  PictureQueue(
      AveragedPredictor predictor,
      int batch,
      ImageForm form,
      boolean json,
      CommandLine command,
      Runnable beforeFirst) {
    this.predictor = predictor;
    this.batch = batch;
    this.form = form;
    this.json = json;
    this.err = command.getErr();
    this.lines = json ? err : command.getOut();
    this.beforeFirst = beforeFirst;
  }

  /** The number of pictures that a network of that shape answers at once, at most. */
  static int batch(MlpShape shape) {
    return Math.min(Predictor.batch(shape), Math.max(1, BATCH_BYTES / shape.inputs()));
  }

  /**
   * Queues a picture or its refusal, and answers the queue when it is full.
   *
   * @param place the picture's index in its file; null if the file is one picture
   * @param prepared what the network is shown; null if the picture was refused
   * @param error why the picture was refused; null if it was not
   */
  void add(Path file, Integer place, Prepared prepared, String error) {
    var image = new LinkedHashMap<String, Object>();
    image.put("file", file.toString());
    if (place != null) {
      image.put("index", place);
    }
    if (json) {
      (prepared == null ? failures : images).add(image);
    }
    String name = place == null ? file.toString() : file + "[" + place + "]";
    waiting.add(new Input(name, image, prepared, error));
    if (waiting.size() >= batch) {
      answer();
    }
  }

  /** Answers the queued pictures in their order. */
  void answer() {
    List<Input> good = waiting.stream().filter(input -> input.prepared() != null).toList();
    float[][] answers = new float[0][];
    if (!good.isEmpty()) {
      byte[] pixels = new byte[good.size() * good.get(0).prepared().pixels().length];
      for (int i = 0; i < good.size(); i++) {
        byte[] each = good.get(i).prepared().pixels();
        System.arraycopy(each, 0, pixels, i * each.length, each.length);
      }
      answers = predictor.logProbabilities(pixels);
    }
    int next = 0;
    for (Input input : waiting) {
      if (input.prepared() == null) {
        failed++;
        err.println(Printable.oneLine(input.error()));
        input.json().put("error", input.error());
        continue;
      }
      if (!begun) {
        begun = true;
        beforeFirst.run();
      }
      List<ClassProbability> likeliest = ClassProbability.likeliest(answers[next++]);
      lines.println(line(input, likeliest));
      input.json().putAll(ClassProbability.json(likeliest, form.labels()));
      input.json().put("preparation", form.preparation().label());
      input.prepared().warning().ifPresent(warning -> input.json().put("warning", warning));
    }
    waiting.clear();
  }

  /** The answers, and the refusals if there are any, as an object for JSON. */
  Map<String, Object> json() {
    var all = new LinkedHashMap<String, Object>();
    all.put("images", images);
    if (failed > 0) {
      all.put("failed", failures);
    }
    return all;
  }

  /** The number of pictures that were refused. */
  int failed() {
    return failed;
  }

  private String line(Input input, List<ClassProbability> likeliest) {
    String others =
        likeliest.stream()
            .skip(1)
            .map(a -> String.format(Locale.ROOT, "%s %.4f", name(a), a.probability()))
            .collect(Collectors.joining(", "));
    ClassProbability best = likeliest.get(0);
    String answer =
        String.format(
            Locale.ROOT,
            others.isEmpty() ? "%s (%.2f%%)" : "%s (%.2f%%; then %s)",
            name(best),
            100 * best.probability(),
            others);
    String warning = input.prepared().warning().map(". Warning: "::concat).orElse("");
    return Printable.oneLine(input.name() + ": " + answer + warning);
  }

  private String name(ClassProbability answer) {
    return form.label(answer.number());
  }
}
