package mlpcuda.cli;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import mlpcuda.cli.SweepRun.Outcome;
import mlpcuda.cli.SweepRun.Score;

/** The results of a sweep, best first: as tables, JSON and CSV. */
final class SweepTable {
  private static final String SEED = "seed";

  /**
   * A run and how it ended.
   *
   * @param outcome the run's outcome; null: it did not run, as the sweep was stopped
   */
  record Row(SweepRun run, Outcome outcome) {
    boolean done() {
      return outcome != null && outcome.done();
    }
  }

  /** Runs that only the seed tells apart. */
  private record Group(Map<String, String> settings, int runs, List<Score> scores) {
    double mean() {
      return scores.stream().mapToDouble(Score::accuracy).average().orElse(Double.NaN);
    }

    double meanLoss() {
      return scores.stream().mapToDouble(Score::loss).average().orElse(Double.NaN);
    }

    /** The standard deviation of the sample; NaN if there is one run. */
    double deviation() {
      double mean = mean();
      double squares =
          scores.stream().mapToDouble(score -> Math.pow(score.accuracy() - mean, 2)).sum();
      return scores.size() < 2 ? Double.NaN : Math.sqrt(squares / (scores.size() - 1));
    }
  }

  private final List<String> varying;
  private final List<Row> rows;
  private final boolean byValidation;

  /**
   * @param varying the settings that tell the runs apart
   * @param rows the runs in their order
   */
  SweepTable(List<String> varying, List<Row> rows) {
    this.varying = varying;
    List<Row> done = rows.stream().filter(Row::done).toList();
    byValidation =
        !done.isEmpty() && done.stream().allMatch(row -> row.outcome.validation() != null);
    this.rows = new ArrayList<>(done);
    this.rows.sort(Comparator.comparing(this::score, best()));
    rows.stream().filter(row -> !row.done()).forEach(this.rows::add);
  }

  private Score score(Row row) {
    return byValidation ? row.outcome.validation() : row.outcome.test();
  }

  private static Comparator<Score> best() {
    return Comparator.comparingDouble(Score::accuracy).reversed().thenComparingDouble(Score::loss);
  }

  /** The groups of runs that differ in the seed alone, best first; none if no seed is repeated. */
  private List<Group> groups() {
    if (!varying.contains(SEED)) {
      return List.of();
    }
    Map<Map<String, String>, List<Row>> bySettings =
        rows.stream()
            .collect(
                Collectors.groupingBy(
                    row -> {
                      var others = new LinkedHashMap<>(row.run.settings());
                      others.remove(SEED);
                      return others;
                    },
                    LinkedHashMap::new,
                    Collectors.toList()));
    var groups = new ArrayList<Group>();
    bySettings.forEach(
        (settings, members) ->
            groups.add(
                new Group(
                    settings,
                    members.size(),
                    members.stream().filter(Row::done).map(this::score).toList())));
    if (groups.stream().allMatch(group -> group.runs < 2)) {
      return List.of();
    }
    groups.removeIf(group -> group.scores.isEmpty());
    groups.sort(Comparator.comparingDouble(Group::mean).reversed());
    return groups;
  }

  /** The tables as they are printed. */
  String text() {
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
    for (int i = 0; i < rows.size(); i++) {
      lines.add(line(i));
    }
    String table = aligned(lines);
    List<Group> groups = groups();
    if (groups.isEmpty()) {
      return table;
    }
    return "%s%nOver seeds, by %s accuracy:%n%s"
        .formatted(table, byValidation ? "validation" : "test", seeds(groups));
  }

  private List<String> line(int i) {
    Row row = rows.get(i);
    var line = new ArrayList<String>();
    line.add(row.done() ? Integer.toString(i + 1) : "-");
    varying.forEach(name -> line.add(row.run.settings().get(name)));
    if (byValidation) {
      add(line, row.done() ? row.outcome.validation() : null);
    }
    add(line, row.done() ? row.outcome.test() : null);
    line.add(row.outcome == null ? "-" : format("%.1f", row.outcome.seconds()));
    line.add(row.run.folder().getFileName() + ending(row.outcome));
    return line;
  }

  private static void add(List<String> line, Score score) {
    line.add(score == null ? "-" : format("%.2f%%", 100 * score.accuracy()));
    line.add(score == null ? "-" : format("%.4f", score.loss()));
  }

  private static String ending(Outcome outcome) {
    if (outcome == null) {
      return ": not run";
    }
    return outcome.done() ? "" : ": exit code " + outcome.code() + ": " + outcome.error();
  }

  private String seeds(List<Group> groups) {
    List<String> others = varying.stream().filter(name -> !name.equals(SEED)).toList();
    var header = new ArrayList<>(others);
    header.addAll(List.of("done", "mean accuracy", "std. deviation", "mean loss"));
    var lines = new ArrayList<List<String>>();
    lines.add(header);
    for (Group group : groups) {
      var line = new ArrayList<String>();
      others.forEach(name -> line.add(group.settings.get(name)));
      line.add(group.scores.size() + "/" + group.runs);
      line.add(format("%.2f%%", 100 * group.mean()));
      line.add(group.scores.size() < 2 ? "-" : format("%.2f%%", 100 * group.deviation()));
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

  /** All results as JSON objects. */
  Map<String, Object> json() {
    var json = new LinkedHashMap<String, Object>();
    json.put("version", Main.version());
    json.put("ordered_by", byValidation ? "validation" : "test");
    var runs = new ArrayList<Map<String, Object>>();
    for (int i = 0; i < rows.size(); i++) {
      Row row = rows.get(i);
      var run = new LinkedHashMap<String, Object>();
      run.put("rank", row.done() ? i + 1 : null);
      run.put("folder", row.run.folder().getFileName().toString());
      run.put("settings", row.run.settings());
      run.put("arguments", row.run.arguments());
      run.put("exit_code", row.outcome == null ? null : row.outcome.code());
      run.put("error", row.outcome == null ? null : row.outcome.error());
      run.put("seconds", row.outcome == null ? null : row.outcome.seconds());
      run.put("validation", row.done() ? json(row.outcome.validation()) : null);
      run.put("test", row.done() ? json(row.outcome.test()) : null);
      runs.add(run);
    }
    json.put("runs", runs);
    json.put("over_seeds", groups().stream().map(SweepTable::json).toList());
    return json;
  }

  private static Map<String, Object> json(Score score) {
    return score == null ? null : Map.of("accuracy", score.accuracy(), "loss", score.loss());
  }

  private static Map<String, Object> json(Group group) {
    var json = new LinkedHashMap<String, Object>();
    json.put("settings", group.settings);
    json.put("runs", group.runs);
    json.put("done", group.scores.size());
    json.put("mean_accuracy", group.mean());
    json.put("deviation_of_accuracy", group.scores.size() < 2 ? null : group.deviation());
    json.put("mean_loss", group.meanLoss());
    return json;
  }

  /** The results as CSV, a line for each run; a value that a run does not have is empty. */
  String csv() {
    var csv = new StringBuilder("rank,folder");
    List<String> names =
        rows.isEmpty() ? List.of() : List.copyOf(rows.get(0).run.settings().keySet());
    names.forEach(name -> csv.append(',').append(name));
    csv.append(
        ",validation_accuracy,validation_loss,test_accuracy,test_loss,seconds,exit_code,error\n");
    for (int i = 0; i < rows.size(); i++) {
      Row row = rows.get(i);
      var cells = new ArrayList<Object>();
      cells.add(row.done() ? i + 1 : null);
      cells.add(row.run.folder().getFileName());
      names.forEach(name -> cells.add(row.run.settings().get(name)));
      Outcome outcome =
          row.outcome != null ? row.outcome : new Outcome(0, null, Double.NaN, null, null);
      for (Score score : new Score[] {outcome.validation(), outcome.test()}) {
        cells.add(score == null ? null : score.accuracy());
        cells.add(score == null ? null : score.loss());
      }
      cells.add(row.outcome == null ? null : outcome.seconds());
      cells.add(row.outcome == null ? null : outcome.code());
      cells.add(outcome.error());
      csv.append(cells.stream().map(SweepTable::cell).collect(Collectors.joining(",")))
          .append('\n');
    }
    return csv.toString();
  }

  private static String cell(Object value) {
    String text = value == null ? "" : value.toString();
    return text.matches("[^,\"\\n\\r]*") ? text : '"' + text.replace("\"", "\"\"") + '"';
  }
}
