package mlpcuda.cli;

import com.fasterxml.jackson.jr.ob.JSON;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import mlpcuda.cli.AnswerColumns.Answer;
import mlpcuda.features.Features;
import mlpcuda.files.WholeFile;
import mlpcuda.model.Committee;
import mlpcuda.net.MlpShape;
import mlpcuda.preparation.ExampleForm;
import mlpcuda.preparation.ImageForm;
import mlpcuda.report.Printable;
import mlpcuda.train.AveragedPredictor;
import mlpcuda.train.Predictor;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * The options of {@code predict} that are of examples in a data set's formats, and the answers to
 * these. A batch is answered and written after another, so that the answers take no memory.
 */
final class RowPredictions {
  @Spec(Spec.Target.MIXEE)
  private CommandSpec spec;

  @Option(
      names = "--data",
      paramLabel = "PATH",
      description =
          "In place of pictures: examples in any format that training reads, of which labels are not"
              + " needed; of a folder with a test set, that.")
  private Path data;

  @Mixin private ReadingOptions reading = new ReadingOptions();

  @Option(
      names = "--csv",
      paramLabel = "FILE",
      description =
          "Write the answers to --data as CSV, instead of a line for each: id (the row from 1 on),"
              + " label, and the probability of each class.")
  private Path csv;

  @Option(
      names = "--columns",
      paramLabel = "LIST",
      description =
          "Columns of --csv, joined by commas: id, label, probability (of the answer) or a class's"
              + " name; NAME=id renames one: ImageId=id,Label=label.")
  private String columns;

  /** The answers are printed as JSON, too. */
  private boolean json;

  private List<String> classes; // (C), the names of the classes

  /** Whether {@code --data} is given. */
  boolean isGiven() {
    return data != null;
  }

  /**
   * Refuses options that have no meaning beside others, before any file is read.
   *
   * @param pictures whether pictures are named
   * @param pictureOptions whether an option is given that is of pictures alone
   */
  void check(Path model, boolean pictures, boolean pictureOptions) {
    if (data != null && pictures) {
      throw refused("pictures and --data exclude each other, found both");
    }
    if (data != null && pictureOptions) {
      throw refused("--index, --raw, --show and --prepare are of pictures, found one with --data");
    }
    if (data == null && (csv != null || columns != null || !reading.areDefault())) {
      throw refused("--csv, --columns and the options of reading, such as --format, need --data");
    }
    if (columns != null && csv == null) {
      throw refused("--columns needs --csv");
    }
    if (csv != null && (ExportCommand.isSame(csv, data) || ExportCommand.isSame(csv, model))) {
      throw refused("--csv must be another file than --data and --model, found " + csv);
    }
  }

  /**
   * Answers the examples.
   *
   * @param model the model's file, for messages
   * @param transpose whether rows and columns of images are exchanged; null: as the model says
   */
  void answer(
      Committee network, Path model, Boolean transpose, DeviceOptions device, boolean json) {
    this.json = json;
    MlpShape shape = network.shape();
    ExampleForm form = network.form();
    classes = form.names(shape.classes());
    AnswerColumns chosen = columns();
    if (csv != null) {
      WholeFile.check(csv);
    }
    boolean exchanged =
        transpose != null ? transpose : form instanceof ImageForm images && images.transposed();
    PrintWriter err = spec.commandLine().getErr();
    var terminal = new Terminal(err, Terminal.isInteractive());
    Features features =
        KnownData.read(data, form, reading.options(), exchanged, terminal).part().features();
    int batch = Math.min(Math.max(1, features.size()), Predictor.batch(shape));
    try (OpenDevice opened = device.open();
        var predictor =
            new AveragedPredictor(
                opened.ops(),
                network.passes(),
                form.scaling(),
                batch,
                model + ": " + network.description())) {
      terminal.line("%s", opened.line(opened.ops().description()));
      if (transpose == null && exchanged) {
        terminal.line(
            "The images are transposed, as the model says; --no-transpose reads them as they are.");
      }
      if (csv == null) {
        answer(features, predictor, batch);
      } else {
        WholeFile.write(csv, out -> write(out, chosen, features, predictor, batch));
        PrintWriter lines = json ? err : spec.commandLine().getOut();
        lines.println(
            Printable.oneLine(
                String.format(
                    Locale.ROOT, "Saved %s: the answers to %,d rows", csv, features.size())));
      }
    }
  }

  private AnswerColumns columns() {
    if (columns == null) {
      return AnswerColumns.all(classes);
    }
    try {
      return AnswerColumns.chosen(columns, classes);
    } catch (IllegalArgumentException e) {
      throw refused("Invalid value for option '--columns': " + e.getMessage());
    }
  }

  private void write(
      OutputStream out,
      AnswerColumns chosen,
      Features features,
      AveragedPredictor predictor,
      int batch)
      throws IOException {
    line(out, chosen.header());
    answer(features, predictor, batch, answer -> line(out, chosen.line(answer)));
  }

  private static void line(OutputStream out, String line) throws IOException {
    out.write((line + "\n").getBytes(StandardCharsets.UTF_8));
  }

  /** Answers all rows where nothing is written to a file. */
  private void answer(Features features, AveragedPredictor predictor, int batch) {
    try {
      answer(features, predictor, batch, answer -> {});
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Takes one answer after another. */
  private interface Taker {
    void take(Answer answer) throws IOException;
  }

  private void answer(Features features, AveragedPredictor predictor, int batch, Taker taker)
      throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    PrintWriter lines = json ? spec.commandLine().getErr() : out;
    if (json) {
      out.print("{\"rows\":[");
    }
    for (int from = 0; from < features.size(); from += batch) {
      int n = Math.min(batch, features.size() - from);
      float[][] logs = predictor.logProbabilities(features, from, n);
      for (int i = 0; i < n; i++) {
        Answer answer = Answer.of(from + i + 1L, logs[i]);
        taker.take(answer);
        if (csv == null) {
          lines.println(shown(answer));
        }
        if (json) {
          out.print((answer.row() == 1 ? "\n" : ",\n") + json(answer));
        }
      }
    }
    if (json) {
      out.println("\n]}");
    }
  }

  private String shown(Answer answer) {
    return Printable.oneLine(
        String.format(
            Locale.ROOT,
            "%d: %s (%.1f%%)",
            answer.row(),
            classes.get(answer.answer()),
            100 * answer.probability()));
  }

  private String json(Answer answer) throws IOException {
    var row = new LinkedHashMap<String, Object>();
    row.put("id", answer.row());
    row.put("class", answer.answer());
    row.put("label", classes.get(answer.answer()));
    row.put("probability", answer.probability());
    row.put("probabilities", answer.probabilities());
    return JSON.std.asString(row);
  }

  private ParameterException refused(String message) {
    return new ParameterException(spec.commandLine(), message);
  }
}
