package mlpcuda.cli;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/**
 * The columns of a CSV file of answers.
 *
 * <p>Source: RFC 4180, for the quoting of cells.
 */
final class AnswerColumns {
  /** A cell that must be in quotes: others could be taken for several cells, or trimmed. */
  private static final Pattern QUOTED =
      Pattern.compile(".*[\",\r\n].*|\\s.*|.*\\s", Pattern.DOTALL);

  /**
   * An answer to an example.
   *
   * @param row the example's number, from 1
   * @param answer the class of the largest probability, the first of equals
   * @param probabilities (C)
   */
  record Answer(long row, int answer, double[] probabilities) {
    /** The answer of a network to the example of that number. */
    static Answer of(long row, float[] logs) {
      double[] probabilities = new double[logs.length];
      int answer = 0;
      for (int c = 0; c < logs.length; c++) {
        probabilities[c] = Math.exp(logs[c]);
        answer = logs[c] > logs[answer] ? c : answer;
      }
      return new Answer(row, answer, probabilities);
    }

    /** The probability of the answer. */
    double probability() {
      return probabilities[answer];
    }
  }

  private record Column(String name, Function<Answer, String> cell) {}

  private final List<Column> columns;

  private AnswerColumns(List<Column> columns) {
    this.columns = columns;
  }

  /** The number, the answer, and the probability of each class under the class's name. */
  static AnswerColumns all(List<String> classes) {
    var columns = new ArrayList<>(List.of(source("id", classes), source("label", classes)));
    IntStream.range(0, classes.size())
        .forEach(c -> columns.add(new Column(classes.get(c), a -> cell(a.probabilities()[c]))));
    return new AnswerColumns(columns);
  }

  /**
   * The columns of a list such as {@code ImageId=id,Label=label}: each is {@code id}, {@code
   * label}, {@code probability} or a class's name, perhaps with another name and an equals sign
   * before it.
   *
   * @param classes the names of the classes
   * @throws IllegalArgumentException if a column is unknown, or two have the same name
   */
  static AnswerColumns chosen(String list, List<String> classes) {
    var columns = new ArrayList<Column>();
    var names = new HashSet<String>();
    for (String text : list.split(",", -1)) {
      int equals = text.indexOf('=');
      Column source = source(text.substring(equals + 1), classes);
      String name = equals < 0 ? text : text.substring(0, equals);
      if (name.isBlank() || !names.add(name)) {
        throw new IllegalArgumentException(
            "columns must have names of their own, found %s in %s".formatted(text, list));
      }
      columns.add(new Column(name, source.cell()));
    }
    return new AnswerColumns(columns);
  }

  private static Column source(String name, List<String> classes) {
    int number = classes.indexOf(name);
    return switch (name) {
      case "id" -> new Column(name, answer -> Long.toString(answer.row()));
      case "label" -> new Column(name, answer -> classes.get(answer.answer()));
      case "probability" -> new Column(name, answer -> cell(answer.probability()));
      default -> {
        if (number < 0) {
          throw new IllegalArgumentException(
              "a column must be id, label, probability or the name of a class, found "
                  + (name.isEmpty() ? "nothing" : name));
        }
        yield new Column(name, answer -> cell(answer.probabilities()[number]));
      }
    };
  }

  /** A probability with the digits of a float, in which the network computed it. */
  private static String cell(double probability) {
    return Float.toString((float) probability);
  }

  /** The first line, without its end. */
  String header() {
    return line(columns.stream().map(Column::name).toList());
  }

  /** The line of an answer, without its end. */
  String line(Answer answer) {
    return line(columns.stream().map(column -> column.cell().apply(answer)).toList());
  }

  private static String line(List<String> cells) {
    return String.join(",", cells.stream().map(AnswerColumns::quoted).toList());
  }

  private static String quoted(String cell) {
    return cell.isEmpty() || QUOTED.matcher(cell).matches()
        ? '"' + cell.replace("\"", "\"\"") + '"'
        : cell;
  }
}
