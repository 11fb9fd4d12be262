package mlpcuda.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;
import mlpcuda.cli.SweepResults.Group;
import mlpcuda.cli.SweepResults.Row;
import mlpcuda.cli.SweepRun.Outcome;
import mlpcuda.train.Averages;

/** The tables that a sweep prints of its results. */
final class SweepTable {
  private SweepTable() {}

  /** The table of the runs, and below it the table of their means over seeds if there is one. */
  static String text(SweepResults results) {
    List<String> varying = results.varying();
    boolean byValidation = results.byValidation();
    var header = new ArrayList<String>();
    header.add("rank");
    header.addAll(varying);
    if (byValidation) {
      header.addAll(List.of("validation accuracy", "validation loss"));
    }
    header.addAll(
        List.of(byValidation ? "test accuracy" : "accuracy", "loss", "seconds", "folder"));
    var lines = new ArrayList<List<String>>();
    lines.add(header);
    for (int i = 0; i < results.rows().size(); i++) {
      lines.add(line(results, i));
    }
    String table = aligned(lines);
    List<Group> groups = results.groups();
    if (groups.isEmpty()) {
      return table;
    }
    return "%s%nOver seeds, by %s accuracy:%n%s"
        .formatted(table, byValidation ? "validation" : "test", seeds(varying, groups));
  }

  private static List<String> line(SweepResults results, int i) {
    Row row = results.rows().get(i);
    var line = new ArrayList<String>();
    line.add(row.done() ? Integer.toString(i + 1) : "-");
    results.varying().forEach(name -> line.add(row.run().settings().get(name)));
    if (results.byValidation()) {
      add(line, row.validation());
    }
    add(line, row.test());
    line.add(row.outcome().map(outcome -> format("%.1f", outcome.seconds())).orElse("-"));
    line.add(row.run().folder().getFileName() + ending(row));
    return line;
  }

  private static void add(List<String> line, Optional<Averages> score) {
    line.add(score.map(of -> format("%.2f%%", 100 * of.accuracy())).orElse("-"));
    line.add(score.map(of -> format("%.4f", of.loss())).orElse("-"));
  }

  private static String ending(Row row) {
    if (row.outcome().isEmpty()) {
      return ": not run";
    }
    Outcome outcome = row.outcome().get();
    return row.done()
        ? ""
        : ": exit code %d: %s".formatted(outcome.code(), outcome.error().orElse(""));
  }

  private static String seeds(List<String> varying, List<Group> groups) {
    List<String> others = varying.stream().filter(name -> !name.equals(SweepResults.SEED)).toList();
    var header = new ArrayList<>(others);
    header.addAll(List.of("done", "mean accuracy", "std. deviation", "mean loss"));
    var lines = new ArrayList<List<String>>();
    lines.add(header);
    for (Group group : groups) {
      var line = new ArrayList<String>();
      others.forEach(name -> line.add(group.settings().get(name)));
      line.add(group.scores().size() + "/" + group.runs());
      line.add(format("%.2f%%", 100 * group.mean()));
      line.add(group.scores().size() < 2 ? "-" : format("%.2f%%", 100 * group.deviation()));
      line.add(format("%.4f", group.meanLoss()));
      lines.add(line);
    }
    return aligned(lines);
  }

  /** Aligns columns to the right, and the last one to the left. */
  private static String aligned(List<List<String>> lines) {
    int last = lines.get(0).size() - 1;
    int[] widths = new int[last];
    for (List<String> line : lines) {
      for (int i = 0; i < last; i++) {
        widths[i] = Math.max(widths[i], line.get(i).length());
      }
    }
    return lines.stream()
        .map(
            line -> {
              var text = new StringBuilder();
              for (int i = 0; i < last; i++) {
                text.append(" ".repeat(widths[i] - line.get(i).length()));
                text.append(line.get(i)).append("  ");
              }
              return text.append(line.get(last)).toString();
            })
        .collect(Collectors.joining(System.lineSeparator()));
  }

  private static String format(String format, double number) {
    return String.format(Locale.ROOT, format, number);
  }
}
