package mlpcuda.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import mlpcuda.cli.SweepResults.Row;
import mlpcuda.cli.SweepRun.Outcome;
import mlpcuda.report.Tables;
import mlpcuda.train.Averages;
import org.junit.jupiter.api.Test;

/** Tests how the runs of a sweep are shown, and in which order. */
class SweepTableTest {
  private static Row row(int number, String lr, String seed, Outcome outcome) {
    var settings = new LinkedHashMap<String, String>();
    settings.put("lr", lr);
    settings.put("hidden", "8,4");
    settings.put("seed", seed);
    var run = new SweepRun(Path.of("out", "00" + number), settings, List.of("--lr=" + lr));
    return new Row(run, Optional.ofNullable(outcome));
  }

  private static Outcome done(Averages validation, double accuracy, double loss) {
    return new Outcome(
        0,
        Optional.empty(),
        1.25,
        Optional.ofNullable(validation),
        Optional.of(new Averages(loss, accuracy)));
  }

  private static final List<Row> ROWS =
      List.of(
          row(1, "1e-3", "1", done(null, 0.75, 0.5)),
          row(2, "1e-3", "2", done(null, 0.85, 0.5)),
          row(3, "1e-2", "1", Outcome.failed(5, "no \"good\"", 0.5)),
          row(4, "1e-2", "2", done(null, 0.85, 0.25)),
          row(5, "1e-1", "1", null));

  @Test
  void byTestAccuracyThenLoss() {
    var results = new SweepResults(List.of("lr", "seed"), ROWS);
    assertEquals(
        List.of(
            "rank    lr  seed  accuracy    loss  seconds  folder",
            "   1  1e-2     2    85.00%  0.2500      1.3  004",
            "   2  1e-3     2    85.00%  0.5000      1.3  002",
            "   3  1e-3     1    75.00%  0.5000      1.3  001",
            "   -  1e-2     1         -       -      0.5  003: exit code 5: no \"good\"",
            "   -  1e-1     1         -       -        -  005: not run",
            "Over seeds, by test accuracy:",
            "  lr  done  mean accuracy  std. deviation  mean loss",
            "1e-2   1/2         85.00%               -  0.2500",
            "1e-3   2/2         80.00%           7.07%  0.5000"),
        SweepTable.text(results).lines().toList());
    assertEquals(
        List.of(
            "rank,folder,lr,hidden,seed,validation_accuracy,validation_loss,test_accuracy,"
                + "test_loss,seconds,exit_code,error",
            "1,004,1e-2,\"8,4\",2,,,0.85,0.25,1.25,0,",
            "2,002,1e-3,\"8,4\",2,,,0.85,0.5,1.25,0,",
            "3,001,1e-3,\"8,4\",1,,,0.75,0.5,1.25,0,",
            ",003,1e-2,\"8,4\",1,,,,,0.5,5,\"no \"\"good\"\"\"",
            ",005,1e-1,\"8,4\",1,,,,,,,"),
        results.csv().lines().toList());
    Map<String, Object> json = Program.json(Tables.json(results.json()));
    assertEquals("test", json.get("ordered_by"));
    Map<?, ?> first = (Map<?, ?>) ((List<?>) json.get("runs")).get(0);
    assertEquals(1, first.get("rank"));
    assertEquals("004", first.get("folder"));
    assertEquals(Map.of("lr", "1e-2", "hidden", "8,4", "seed", "2"), first.get("settings"));
    assertEquals(List.of("--lr=1e-2"), first.get("arguments"));
    assertEquals(Map.of("accuracy", 0.85, "loss", 0.25), first.get("test"));
    Map<?, ?> failed = (Map<?, ?>) ((List<?>) json.get("runs")).get(3);
    assertEquals(5, failed.get("exit_code"));
    assertEquals("no \"good\"", failed.get("error"));
    Map<?, ?> mean = (Map<?, ?>) ((List<?>) json.get("over_seeds")).get(1);
    assertEquals(Map.of("lr", "1e-3", "hidden", "8,4"), mean.get("settings"));
    assertEquals(2, mean.get("done"));
    assertEquals(0.8, (double) mean.get("mean_accuracy"), 1e-12);
    assertEquals(0.1 / Math.sqrt(2), (double) mean.get("deviation_of_accuracy"), 1e-12);
  }

  @Test
  void byValidationWhereEveryRunHasOne() {
    List<Row> rows =
        List.of(
            row(1, "1e-3", "1", done(new Averages(1, 0.5), 0.9, 0.1)),
            row(2, "1e-2", "1", done(new Averages(1, 0.7), 0.6, 0.2)),
            row(3, "1e-1", "1", Outcome.failed(3, "no GPU", 0)));
    assertEquals(
        List.of(
            "rank    lr  validation accuracy  validation loss  test accuracy    loss  seconds"
                + "  folder",
            "   1  1e-2               70.00%           1.0000         60.00%  0.2000      1.3  002",
            "   2  1e-3               50.00%           1.0000         90.00%  0.1000      1.3  001",
            "   -  1e-1                    -                -              -       -      0.0"
                + "  003: exit code 3: no GPU"),
        SweepTable.text(new SweepResults(List.of("lr"), rows)).lines().toList());
  }

  @Test
  void aValidationThatSomeRunsLackOrdersNothing() {
    List<Row> rows =
        List.of(
            row(1, "1e-3", "1", done(new Averages(1, 0.9), 0.5, 0.1)),
            row(2, "1e-2", "1", done(null, 0.6, 0.2)));
    assertEquals("test", new SweepResults(List.of("lr"), rows).json().get("ordered_by"));
  }

  @Test
  void nothingDone() {
    List<Row> rows = List.of(row(1, "1e-3", "1", null), row(2, "1e-3", "2", null));
    assertEquals(
        List.of(
            "rank  seed  accuracy  loss  seconds  folder",
            "   -     1         -     -        -  001: not run",
            "   -     2         -     -        -  002: not run"),
        SweepTable.text(new SweepResults(List.of("seed"), rows)).lines().toList());
  }

  @Test
  void namesAreSafeAndShort() {
    var settings = new LinkedHashMap<String, String>();
    settings.put("hidden", "128,64");
    settings.put("data", "/a b/ü\n");
    assertEquals("007-hidden=128,64-data=_a_b___", SweepRun.name(7, 12, settings));
    assertEquals("0007-x=1", SweepRun.name(7, 1000, Map.of("x", "1")));
    assertEquals(100, SweepRun.name(1, 1, Map.of("data", "x".repeat(300))).length());
  }
}
