package mlpcuda.run;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import mlpcuda.data.ExampleSet;
import mlpcuda.model.Committee;
import mlpcuda.model.ModelFile;
import mlpcuda.preparation.InkWidth;
import mlpcuda.report.Metrics;
import mlpcuda.report.Printable;
import mlpcuda.report.Report;
import mlpcuda.report.Tables;
import mlpcuda.train.Calibration;
import mlpcuda.train.NetworkEvaluator;
import mlpcuda.train.Predictions;
import mlpcuda.train.Score;

/**
 * Evaluates a committee and each of its members, and saves what was found.
 *
 * @param run the training of the committee
 * @param data the examples as no member sees them
 */
record CommitteeResults(CommitteeRun run, RunData data) {
  /** The results of one member, or of all of them together. */
  private record Scores(Optional<Score> validation, Score test) {}

  /** Evaluates, tells and saves the committee. */
  CommitteeRun.Result of(Committee committee) {
    RunPlan base = run.plan().base();
    var state = RunState.begin(base, data, run.devices().ops(), run.plan().command());
    Map<String, Object> settings = RunDescription.settings(run.devices().ops(), data, state);
    settings.put("members", committee.size());
    settings.put("ink_widths", InkWidth.labels(run.plan().widths()));
    var metrics = new Metrics(settings, base.settings().recording().logInterval());
    var members = new ArrayList<Scores>();
    for (ModelFile member : committee.members()) {
      members.add(scores(Committee.of(member), Optional.empty()));
    }
    var answers = new Predictions(data.test().size());
    Scores all = scores(committee, Optional.of(answers));
    List<String> labels = data.form().labels();
    metrics.members(json(members));
    metrics.tested(all.test, labels, Calibration.of(answers, data.test().labels()));
    all.validation.ifPresent(score -> metrics.evaluated("validation", score, labels));
    Reporter reporter = run.reporters().committee();
    reporter.line(Tables.answers(all.test, labels));
    reporter.line(table(members, all));
    Warnings.ofLabels(data.train(), data.test(), data.shape().classes(), labels)
        .ifPresent(metrics::warn);
    Warnings.ofAnswers(all.test, data.shape(), labels, false, data.train())
        .ifPresent(metrics::warn);
    run.folder().ifPresent(folder -> save(committee, metrics, answers, folder));
    metrics.warnings().forEach(reporter::warning);
    all.validation.ifPresent(score -> reporter.line(Tables.result("Validation", score)));
    reporter.result(Tables.result("Test", all.test));
    return new CommitteeRun.Result(metrics, committee, all.test, all.validation);
  }

  private Scores scores(Committee committee, Optional<Predictions> answers) {
    int validation = data.validation().map(ExampleSet::size).orElse(0);
    try (var evaluator =
        new NetworkEvaluator(
            run.devices().ops(),
            committee.passes(),
            data.form().scaling(),
            Math.max(validation, data.test().size()),
            run.plan().base().settings().recording().testBatchSize(),
            "the evaluation of " + committee.description(),
            "")) {
      return new Scores(data.validation().map(evaluator::run), evaluator.run(data.test(), answers));
    }
  }

  private List<Map<String, Object>> json(List<Scores> members) {
    var json = new ArrayList<Map<String, Object>>();
    for (int i = 0; i < members.size(); i++) {
      var member = new LinkedHashMap<String, Object>();
      member.put("name", CommitteePlan.name(i));
      member.put("seed", run.plan().member(i).settings().seed());
      member.put("ink_width", run.plan().width(i).label());
      members.get(i).validation.ifPresent(score -> put(member, "validation", score));
      put(member, "test", members.get(i).test);
      json.add(member);
    }
    return json;
  }

  private static void put(Map<String, Object> json, String set, Score score) {
    json.put(set + "_loss", score.loss());
    json.put(set + "_accuracy", score.accuracy());
  }

  /** The accuracies of the members and of the committee, one a line. */
  private String table(List<Scores> members, Scores all) {
    var table = new StringBuilder();
    boolean validated = all.validation.isPresent();
    table.append("%-12s %9s".formatted("member", "ink width"));
    table.append(validated ? " %13s".formatted("validation, %") : "");
    table.append(" %9s %8s".formatted("test, %", "mistakes"));
    for (int i = 0; i < members.size(); i++) {
      line(table, CommitteePlan.name(i), run.plan().width(i).label(), members.get(i));
    }
    line(table, "committee", "", all);
    return table.toString();
  }

  private static void line(StringBuilder table, String name, String width, Scores scores) {
    table.append("%n%-12s %9s".formatted(name, width));
    scores.validation.ifPresent(
        score -> table.append(String.format(Locale.ROOT, " %13.2f", 100 * score.accuracy())));
    Score test = scores.test;
    table.append(
        String.format(
            Locale.ROOT, " %9.2f %,8d", 100 * test.accuracy(), test.size() - test.right()));
  }

  private void save(Committee committee, Metrics metrics, Predictions answers, Path folder) {
    Path model = folder.resolve(RunFolder.MODEL);
    committee.write(model);
    String status = "Done: a committee of %d networks.".formatted(committee.size());
    new Report(run.name(), metrics, data.shape(), data.train(), data.test())
        .write(folder, status, Optional.empty(), Optional.of(answers));
    metrics.write(folder); // written last, since their test result says that all is written
    run.reporters()
        .committee()
        .line(Printable.oneLine("Saved " + model + ", report.html and metrics.json"));
  }
}
