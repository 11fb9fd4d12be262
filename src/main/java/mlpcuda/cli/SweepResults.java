package mlpcuda.cli;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import mlpcuda.cli.SweepRun.Outcome;
import mlpcuda.report.Build;
import mlpcuda.train.Averages;

/** The results of a sweep, best first, and their forms for other programs: JSON and CSV. */
final class SweepResults {
  /** The option that runs of a group differ in. */
  static final String SEED = "seed";

  /**
   * A run and how it ended.
   *
   * @param outcome the run's outcome; empty if it did not run, as the sweep was stopped
   */
  record Row(SweepRun run, Optional<Outcome> outcome) {
    boolean done() {
      return outcome.filter(Outcome::done).isPresent();
    }

    /** The validation set's result; empty if there is none, or the run is not done. */
    Optional<Averages> validation() {
      return outcome.filter(Outcome::done).flatMap(Outcome::validation);
    }

    /** The test set's result; empty if the run is not done. */
    Optional<Averages> test() {
      return outcome.filter(Outcome::done).flatMap(Outcome::test);
    }
  }

  /** Runs that only the seed tells apart. */
  record Group(Map<String, String> settings, int runs, List<Averages> scores) {
    double mean() {
      return scores.stream().mapToDouble(Averages::accuracy).average().orElse(Double.NaN);
    }

    double meanLoss() {
      return scores.stream().mapToDouble(Averages::loss).average().orElse(Double.NaN);
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
  SweepResults(List<String> varying, List<Row> rows) {
    this.varying = varying;
    List<Row> done = rows.stream().filter(Row::done).toList();
    byValidation = !done.isEmpty() && done.stream().allMatch(row -> row.validation().isPresent());
    this.rows = new ArrayList<>(done);
    this.rows.sort(Comparator.comparing(this::score, best()));
    rows.stream().filter(row -> !row.done()).forEach(this.rows::add);
  }

  /** The number of runs that are done. */
  long done() {
    return rows.stream().filter(Row::done).count();
  }

  /** Whether the sweep was stopped before all runs had ended. */
  boolean stopped() {
    return rows.stream()
        .anyMatch(
            row ->
                row.outcome().map(Outcome::code).orElse(ExitCode.STOPPED.code)
                    == ExitCode.STOPPED.code);
  }

  /** The settings that tell the runs apart. */
  List<String> varying() {
    return varying;
  }

  /** The runs: best first, and at the end those that are not done. */
  List<Row> rows() {
    return rows;
  }

  /** Whether the runs are in the order of the validation set's results, not the test set's. */
  boolean byValidation() {
    return byValidation;
  }

  private Averages score(Row row) {
    return (byValidation ? row.validation() : row.test()).orElseThrow();
  }

  private static Comparator<Averages> best() {
    return Comparator.comparingDouble(Averages::accuracy)
        .reversed()
        .thenComparingDouble(Averages::loss);
  }

  /** The groups of runs that differ in the seed alone, best first; none if no seed is repeated. */
  List<Group> groups() {
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

  /** The results as an object for JSON. */
  Map<String, Object> json() {
    var json = new LinkedHashMap<String, Object>();
    json.put("version", Build.version());
    json.put("ordered_by", byValidation ? "validation" : "test");
    var runs = new ArrayList<Map<String, Object>>();
    for (int i = 0; i < rows.size(); i++) {
      Row row = rows.get(i);
      var run = new LinkedHashMap<String, Object>();
      run.put("rank", row.done() ? i + 1 : null);
      run.put("folder", row.run.folder().getFileName().toString());
      run.put("settings", row.run.settings());
      run.put("arguments", row.run.arguments());
      run.put("exit_code", row.outcome.map(Outcome::code).orElse(null));
      run.put("error", row.outcome.flatMap(Outcome::error).orElse(null));
      run.put("seconds", row.outcome.map(Outcome::seconds).orElse(null));
      run.put("validation", row.validation().map(SweepResults::json).orElse(null));
      run.put("test", row.test().map(SweepResults::json).orElse(null));
      runs.add(run);
    }
    json.put("runs", runs);
    json.put("over_seeds", groups().stream().map(SweepResults::json).toList());
    return json;
  }

  private static Map<String, Object> json(Averages score) {
    return Map.of("accuracy", score.accuracy(), "loss", score.loss());
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
      for (Optional<Averages> score : List.of(row.validation(), row.test())) {
        cells.add(score.map(Averages::accuracy).orElse(null));
        cells.add(score.map(Averages::loss).orElse(null));
      }
      cells.add(row.outcome.map(Outcome::seconds).orElse(null));
      cells.add(row.outcome.map(Outcome::code).orElse(null));
      cells.add(row.outcome.flatMap(Outcome::error).orElse(null));
      csv.append(cells.stream().map(SweepResults::cell).collect(Collectors.joining(",")))
          .append('\n');
    }
    return csv.toString();
  }

  private static String cell(Object value) {
    String text = value == null ? "" : value.toString();
    return text.matches("[^,\"\\n\\r]*") ? text : '"' + text.replace("\"", "\"\"") + '"';
  }
}
