package mlpcuda.report;

import com.fasterxml.jackson.jr.ob.JSON;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import mlpcuda.net.MlpShape;
import mlpcuda.train.Importance;
import mlpcuda.train.Score;

/** Formats what is printed about a network and its answers. */
public final class Tables {
  /** The most columns whose importance is printed. */
  private static final int MOST_COLUMNS = 20;

  /** The most letters of a column's name that are printed. */
  private static final int NAME = 30;

  /** The width of the column of classes where their names are shorter, in characters. */
  private static final int LEAST_NAME = 6;

  /** The most characters of a class's name at the beginning of a row. */
  private static final int LONGEST_NAME = 24;

  /** The most characters of a class's name above a column of the confusion matrix. */
  private static final int HEAD = 10;

  private Tables() {}

  /** The layers, one a line, and the number of parameters. */
  public static String layers(MlpShape shape) {
    var table = new StringBuilder();
    table.append(
        "%-10s %8s %8s  %-10s %12s%n"
            .formatted("layer", "inputs", "outputs", "activation", "parameters"));
    for (int l = 0; l < shape.layers(); l++) {
      table.append(
          String.format(
              Locale.ROOT,
              "%-10s %8d %8d  %-10s %,12d%n",
              "layers." + l,
              shape.inputs(l),
              shape.outputs(l),
              shape.activation(l).label(),
              shape.parameters(l)));
    }
    table.append(String.format(Locale.ROOT, "%-40s %,12d", "network " + shape, shape.parameters()));
    return table.toString();
  }

  /**
   * Precision, recall and F1 of each class, and the confusion matrix.
   *
   * @param labels the names of the classes; empty where they have none but their numbers
   */
  public static String answers(Score evaluation, List<String> labels) {
    int C = evaluation.classes();
    List<String> names = rowNames(labels, C);
    int longest = names.stream().mapToInt(String::length).max().orElse(0);
    String name = "%-" + Math.max(LEAST_NAME, longest) + "s";
    var table = new StringBuilder();
    table.append(
        (name + " %10s %10s %10s %10s%n")
            .formatted("class", "precision", "recall", "F1", "examples"));
    for (int c = 0; c < C; c++) {
      table.append(
          String.format(
              Locale.ROOT,
              name + " %10.4f %10.4f %10.4f %,10d%n",
              names.get(c),
              evaluation.precision(c),
              evaluation.recall(c),
              evaluation.f1(c),
              evaluation.support(c)));
    }
    table.append(
        "Confusion matrix: a row for each true class, a column for each answer%n".formatted());
    List<String> heads = labels.isEmpty() ? names : cut(labels, HEAD);
    int head = labels.isEmpty() ? 0 : heads.stream().mapToInt(String::length).max().orElse(0);
    int width = 1 + Math.max(head, Long.toString(evaluation.size()).length());
    String cell = "%" + width + "s";
    table.append(name.formatted(""));
    heads.forEach(each -> table.append(cell.formatted(each)));
    for (int c = 0; c < C; c++) {
      table.append(("%n" + name).formatted(names.get(c)));
      for (long count : evaluation.confusion()[c]) {
        table.append(cell.formatted(count));
      }
    }
    return table.toString();
  }

  /** The importance of the most important columns, one a line. */
  public static String importance(Importance importance) {
    List<Importance.OfColumn> columns = importance.columns();
    int shown = Math.min(MOST_COLUMNS, columns.size());
    List<String> names = cut(columns.stream().map(Importance.OfColumn::column).toList(), NAME);
    var table = new StringBuilder();
    table.append(
        ("Importance of the columns: how much worse the test set is answered when a column is"
                + " permuted%n")
            .formatted());
    table.append("%-31s %20s %20s".formatted("column", "accuracy drop, %", "loss rise"));
    for (int c = 0; c < shown; c++) {
      Importance.OfColumn of = columns.get(c);
      table.append(
          String.format(
              Locale.ROOT,
              "%n%-31s %11.2f ± %6.2f %11.4f ± %6.4f",
              names.get(c),
              100 * of.accuracyDrop().mean(),
              100 * of.accuracyDrop().deviation(),
              of.lossRise().mean(),
              of.lossRise().deviation()));
    }
    if (shown < columns.size()) {
      table.append(String.format(Locale.ROOT, "%n… and %,d more", columns.size() - shown));
    }
    return table.toString();
  }

  private static List<String> rowNames(List<String> labels, int classes) {
    return labels.isEmpty()
        ? IntStream.range(0, classes).mapToObj(Integer::toString).toList()
        : cut(labels, LONGEST_NAME);
  }

  /** The names, each as one line of that many characters at most, where an ellipsis is the last. */
  private static List<String> cut(List<String> labels, int most) {
    return labels.stream()
        .map(Printable::oneLine)
        .map(label -> label.length() <= most ? label : label.substring(0, most - 1) + "…")
        .toList();
  }

  /** Formats a count with its noun: {@code 1 epoch}, {@code 9,380 steps}. */
  public static String count(long number, String thing) {
    return String.format(Locale.ROOT, "%,d %s%s", number, thing, number == 1 ? "" : "s");
  }

  /** Formats a count with its noun and verb: {@code 1 epoch is}, {@code 10 epochs are}. */
  public static String are(long number, String thing) {
    return count(number, thing) + (number == 1 ? " is" : " are");
  }

  /** Writes maps, lists, texts and numbers as JSON. */
  public static String json(Object value) {
    try {
      return JSON.std.with(JSON.Feature.PRETTY_PRINT_OUTPUT).asString(value);
    } catch (IOException e) {
      throw new AssertionError("a string takes every character", e);
    }
  }

  /** Converts a number for {@link #json}: null for NaN and infinity, which JSON does not have. */
  public static Double number(double value) {
    return Double.isFinite(value) ? value : null;
  }

  /** The last line of training and of evaluation. */
  public static String result(String set, Score evaluation) {
    return String.format(
        Locale.ROOT,
        "%s set: Average loss: %.4f, Accuracy: %d/%d (%.2f%%)",
        set,
        evaluation.loss(),
        evaluation.right(),
        evaluation.size(),
        100 * evaluation.accuracy());
  }
}
