package mlpcuda.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests the importance of columns, and what the report shows of a table. */
class ColumnImportanceTest {
  /** A name that would end the script, and one that would be HTML. */
  private static final String SCRIPT = "</script><script>alert(1)</script>";

  private static final String NOISE = "<img src=x>";

  @TempDir private Path tmp;
  private Path table;
  private Path out;

  /** Writes a table whose column of that name alone tells the classes apart. */
  static Path write(Path file, int rows) throws IOException {
    var random = new Random(2);
    var text = new StringBuilder(NOISE + "," + SCRIPT + ",word,label\n");
    for (int i = 0; i < rows; i++) {
      String word = List.of("<b>", "blue", "red").get(random.nextInt(3));
      double noise = random.nextGaussian();
      text.append(
          "%.4f,%d,%s,%s%n".formatted(noise, 2000 + i % 2, word, i % 2 == 0 ? "no" : "yes"));
    }
    return Files.writeString(file, text);
  }

  @BeforeEach
  void writeTable() throws IOException {
    table = write(tmp.resolve("table.csv"), 200);
    out = tmp.resolve("out");
  }

  private Object[] words(String line) {
    return Program.words(line, "--data", table, "--out", out);
  }

  private Map<String, Object> metrics() throws IOException {
    return Program.json(Files.readString(out.resolve("metrics.json")));
  }

  private static List<?> columns(Object importance) {
    return (List<?>) ((Map<?, ?>) importance).get("columns");
  }

  private static double number(Object column, String name) {
    return ((Number) ((Map<?, ?>) column).get(name)).doubleValue();
  }

  @Test
  void theColumnThatDecidesIsFirst() throws IOException {
    String line = "--cpu --epochs 20 --batch-size 16 --hidden 8 --lr 0.01 --importance";
    Program run = Program.succeed(words(line));
    Object importance = metrics().get("importance");
    List<?> columns = columns(importance);
    assertEquals(3, columns.size());
    assertEquals(SCRIPT, ((Map<?, ?>) columns.get(0)).get("column"));
    assertTrue(number(columns.get(0), "accuracy_drop") > 0.3, "" + columns);
    assertTrue(number(columns.get(0), "loss_rise") > 0.1, "" + columns);
    assertTrue(number(columns.get(1), "accuracy_drop") < 0.1, "" + columns);
    List<String> printed = run.out().lines().dropWhile(l -> !l.startsWith("Importance")).toList();
    assertEquals("column", printed.get(1).split(" ")[0]);
    assertTrue(printed.get(2).startsWith("</script><script>alert(1)</sc… "), printed.get(2));

    // The evaluation of the saved network permutes by the default seed, as the run did.
    Path test = Files.createDirectories(tmp.resolve("split"));
    Files.copy(table, test.resolve("train.csv"));
    Files.copy(table, test.resolve("test.csv"));
    out = tmp.resolve("split-run");
    Program.succeed(Program.words(line, "--data", test, "--out", out));
    Program evaluated =
        Program.succeed(
            Program.words(
                "evaluate --cpu --importance --json --test-batch-size 64 --model",
                out.resolve("model.safetensors"),
                "--data",
                test));
    Map<String, Object> answer = Program.json(evaluated.out());
    assertEquals(metrics().get("importance"), answer.get("importance"));
    Map<?, ?> tested = (Map<?, ?>) metrics().get("test");
    assertEquals(tested.get("calibration"), answer.get("calibration"));
    assertTrue(evaluated.err().contains("Importance of the columns"), evaluated.err());
  }

  @Test
  void itIsMeasuredOnRequestAlone() throws IOException {
    Program run = Program.succeed(words("--cpu --epochs 1 --hidden 4"));
    assertFalse(metrics().containsKey("importance"));
    assertFalse(run.out().contains("Importance"), run.out());
  }

  /** A stop during the measurement leaves a run that is resumed, and then measures it. */
  @Test
  void aStopDuringTheMeasurementIsResumed() throws IOException {
    var asked = new AtomicInteger();
    String line = "--cpu --epochs 1 --batch-size 50 --hidden 4 --importance";
    Program.succeed(words(line));
    Object whole = metrics().get("importance");
    out = tmp.resolve("stopped");
    int steps = 4; // 170 examples in batches of 50
    Program stopped =
        Program.run(Program.NO_GPUS, () -> asked.incrementAndGet() > steps + 5, words(line));
    assertEquals(130, stopped.code(), stopped.err());
    assertTrue(
        stopped.err().contains("stopped in epoch 1, after step 4; --resume " + out), stopped.err());
    Program.succeed("--resume", out, "--data", table);
    assertEquals(whole, metrics().get("importance"));
  }

  @Test
  void imagesAreRefusedBeforeTheTraining() {
    Path images = Program.writeData(tmp.resolve("images"), 5, 7, 3, 50, 20);
    String rule =
        "Invalid value for option '--importance': needs examples that are rows of a table, found"
            + " images of 5x7";
    assertRefused(
        Program.run(Program.words("--cpu --importance --data", images, "--out", out)), rule);
    assertFalse(Files.exists(out));
    Program.succeed(Program.words("--cpu --epochs 0 --data", images, "--out", out));
    assertRefused(
        Program.run(
            Program.words(
                "evaluate --cpu --importance --model",
                out.resolve("model.safetensors"),
                "--data",
                images)),
        rule);
  }

  private static void assertRefused(Program program, String rule) {
    assertEquals(2, program.code(), program.err());
    assertEquals(rule, program.err().lines().findFirst().orElseThrow());
  }

  @Test
  void theReportShowsRowsAndRanges() throws IOException {
    Program.succeed(words("--cpu --epochs 1 --hidden 4"));
    String page = Files.readString(out.resolve("report.html"));
    assertFalse(page.contains(SCRIPT), "a name ends the script");
    assertFalse(page.contains(NOISE), "a name is part of the page");
    Map<?, ?> shown = (Map<?, ?>) ReportTest.data(out.resolve("report.html")).get("table");
    assertEquals(3, shown.get("count"));
    assertEquals(170, shown.get("size"));
    List<?> columns = (List<?>) shown.get("columns");
    Map<?, ?> script = (Map<?, ?>) columns.get(1);
    assertEquals(SCRIPT, script.get("name"));
    assertEquals(2000.0, number(script, "least"));
    assertEquals(2001.0, number(script, "most"));
    assertEquals(2000.5, number(script, "mean"), 0.01);
    assertEquals(
        Map.of("name", "word", "words", List.of("<b>", "blue", "red"), "count", 3), columns.get(2));
    List<?> rows = (List<?>) shown.get("rows");
    List<String> lines = Files.readAllLines(table);
    assertEquals(10, rows.size());
    for (int i = 0; i < rows.size(); i++) {
      List<?> row = (List<?>) rows.get(i);
      double noise = ((Number) row.get(0)).doubleValue();
      int year = ((Number) row.get(1)).intValue();
      String label = List.of("no", "yes").get((Integer) ((List<?>) shown.get("labels")).get(i));
      assertTrue(
          lines.contains("%.4f,%d,%s,%s".formatted(noise, year, row.get(2), label)),
          row + " must be a row of the table");
    }
  }
}
