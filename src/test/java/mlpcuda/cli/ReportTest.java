package mlpcuda.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import mlpcuda.data.ExampleSet;
import mlpcuda.data.IdxFolder;
import mlpcuda.model.ModelFile;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Tests the content of {@code report.html}, and when it is written; {@link ReportPageTest} tests
 * its look.
 */
class ReportTest {
  private static final Pattern DATA =
      Pattern.compile("<script type=\"application/json\" id=\"data\">(.*)</script>");

  @TempDir private Path tmp;
  private Path data;
  private Path out;

  @BeforeEach
  void makeData() {
    data = Program.writeData(tmp.resolve("data"), 5, 7, 3, 50, 20);
    out = tmp.resolve("out");
  }

  private Object[] words(String more) {
    return only("--hidden 6 --batch-size 16 --epochs 3 --log-interval 2 " + more);
  }

  private Object[] only(String options) {
    return Program.words("--overwrite --cpu " + options, "--data", data, "--out", out);
  }

  /** The data that the page's script draws. */
  static Map<String, Object> data(Path page) {
    try {
      Matcher found = DATA.matcher(Files.readString(page));
      assertTrue(found.find(), "the page must have data");
      return Program.json(found.group(1));
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private Map<String, Object> report() {
    return data(out.resolve("report.html"));
  }

  private static Map<?, ?> map(Map<?, ?> json, String name) {
    return (Map<?, ?>) json.get(name);
  }

  private static List<?> list(Map<?, ?> json, String name) {
    return (List<?>) json.get(name);
  }

  @Test
  void hasTheMetrics() throws IOException {
    Program.succeed(words("--validation 10"));
    Map<String, Object> metrics = Program.json(Files.readString(out.resolve("metrics.json")));
    assertEquals(metrics, report().get("metrics"));
    assertStatus("Done: 3 epochs, 9 steps. Written ");
  }

  @Test
  void saysHowAndWhereItWasRun() {
    out = tmp.resolve("it's \"so\"");
    Program.succeed(words("--validation 10"));
    Map<?, ?> settings = map(map(report(), "metrics"), "settings");
    assertEquals(
        "mlp-cuda train --overwrite --cpu --hidden 6 --batch-size 16 --epochs 3 --log-interval 2"
            + " --validation 10"
            + " --data %s --out '%s'".formatted(data, out.toString().replace("'", "'\\''")),
        settings.get("command"));
    assertEquals(System.getProperty("user.dir"), settings.get("directory"));
    assertEquals(Runtime.getRuntime().availableProcessors(), settings.get("processors"));
    for (String name : List.of("host", "system", "java", "device")) {
      String value = (String) settings.get(name);
      assertTrue(value != null && !value.isBlank() && !value.contains("null"), name + " " + value);
    }
  }

  private double totalSeconds() {
    return ((Number) map(report(), "metrics").get("total_seconds")).doubleValue();
  }

  /** A time is given from the first report on, and goes on growing in a run that goes on. */
  @Test
  void saysHowLongItTook() {
    long began = System.nanoTime();
    Program.succeed(words(""));
    double total = totalSeconds();
    double ofEpochs =
        list(map(report(), "metrics"), "epochs").stream()
            .mapToDouble(epoch -> ((Number) ((Map<?, ?>) epoch).get("seconds")).doubleValue())
            .sum();
    assertTrue(total > ofEpochs, total + " s of the run, " + ofEpochs + " s of its epochs");
    double around = (System.nanoTime() - began) / 1e9;
    assertTrue(total < around, total + " s of the run, " + around + " s of all");
    assertNull(map(report(), "metrics").get("seconds_before_resuming"));

    var asked = new AtomicInteger();
    Program.run(Program.NO_GPUS, () -> asked.incrementAndGet() == 7, words(""));
    double stopped = totalSeconds();
    assertTrue(stopped > 0);
    Program.succeed("--resume", out, "--data", data);
    assertEquals(stopped, map(report(), "metrics").get("seconds_before_resuming"));
    assertTrue(totalSeconds() > stopped);
    assertEquals(5, Program.run(words("--optimizer sgd --lr 1e30")).code());
    assertTrue(totalSeconds() > 0);
  }

  /**
   * The answers are the same, whether the test set was evaluated after each epoch or at the end.
   */
  @Test
  void hasTheSameAnswersWheneverTheyWereAskedFor() {
    Program.succeed(words("--test-at-end"));
    Object atTheEnd = report().get("test");
    Program.succeed(words(""));
    assertEquals(atTheEnd, report().get("test"));
    Program.succeed(words("--validation 10 --save-best --test-at-end --lr 0.3"));
    Object best = report().get("test");
    Program.succeed(words("--validation 10 --save-best --lr 0.3"));
    assertEquals(best, report().get("test"));
  }

  @Test
  void hasTheLayers() {
    Program.succeed(words(""));
    assertEquals(
        List.of(
            Map.of(
                "name",
                "layers.0",
                "inputs",
                35,
                "outputs",
                6,
                "activation",
                "relu",
                "parameters",
                216),
            Map.of(
                "name",
                "layers.1",
                "inputs",
                6,
                "outputs",
                3,
                "activation",
                "none",
                "parameters",
                21)),
        report().get("layers"));
  }

  @Test
  void hasTheFirstTrainingImages() {
    Program.succeed(words("--subset 30"));
    ExampleSet train = IdxFolder.read(data, OptionalInt.empty()).train();
    Map<?, ?> shown = map(report(), "training");
    assertArrayEquals(
        Arrays.copyOf(train.features().array(), 20 * 35),
        Base64.getDecoder().decode((String) shown.get("pixels")));
    assertEquals(20, list(shown, "labels").size());
    for (int i = 0; i < 20; i++) {
      assertEquals((int) train.labels()[i], list(shown, "labels").get(i));
    }
    assertEquals(5, shown.get("rows"));
    assertEquals(7, shown.get("cols"));
  }

  /**
   * Each image, answer and probability is compared with {@code predict}, each list with its rule.
   */
  @Test
  void hasTheTestImagesAndAnswers() {
    // After few steps there must be mistakes.
    Program.succeed(words("--max-steps 2"));
    ExampleSet test = IdxFolder.read(data, OptionalInt.empty()).test();
    List<?> predicted =
        list(
            Program.json(
                Program.succeed(
                        "predict",
                        "--cpu",
                        "--raw",
                        "--json",
                        "--model",
                        out.resolve("model.safetensors"),
                        data.resolve("t10k-images-idx3-ubyte"))
                    .out()),
            "images");
    Map<?, ?> shown = map(report(), "test");
    List<?> indices = list(shown, "indices");
    assertEquals(new HashSet<>(indices).size(), indices.size(), "no image twice");
    assertEquals(20, indices.size(), "a small test set is there whole");
    byte[] pixels = Base64.getDecoder().decode((String) shown.get("pixels"));
    int mistakes = 0;
    for (int slot = 0; slot < indices.size(); slot++) {
      int index = (Integer) indices.get(slot);
      assertArrayEquals(
          Arrays.copyOfRange(test.features().array(), index * 35, (index + 1) * 35),
          Arrays.copyOfRange(pixels, slot * 35, (slot + 1) * 35));
      Map<?, ?> answer = (Map<?, ?>) predicted.get(index);
      assertEquals((int) test.labels()[index], list(shown, "labels").get(slot));
      assertEquals(answer.get("class"), list(shown, "answers").get(slot));
      assertEquals(
          ((Number) answer.get("probability")).doubleValue(), probability(shown, slot), 1e-6);
      mistakes += list(shown, "labels").get(slot).equals(answer.get("class")) ? 0 : 1;
    }
    assertTrue(mistakes > 3, "two steps must leave mistakes, found " + mistakes);

    List<Integer> wrong = slots(shown, "mistakes");
    assertEquals(mistakes, wrong.size());
    assertFalls(shown, wrong);
    for (int slot : wrong) {
      assertFalse(isRight(shown, slot));
    }
    assertEquals(
        Stream.iterate(0, i -> i + 1).limit(20).toList(),
        slots(shown, "first").stream().map(indices::get).toList());

    var inCells = new ArrayList<Integer>();
    for (Object each : list(shown, "cells")) {
      Map<?, ?> cell = (Map<?, ?>) each;
      var slots = new ArrayList<>(slots(cell, "images"));
      for (int slot : slots) {
        assertEquals(cell.get("truth"), list(shown, "labels").get(slot));
        assertEquals(cell.get("answer"), list(shown, "answers").get(slot));
      }
      inCells.addAll(slots);
      if (cell.get("truth").equals(cell.get("answer"))) {
        Collections.reverse(slots);
      }
      assertFalls(shown, slots);
    }
    assertEquals(20, inCells.size());
    assertEquals(20, new HashSet<>(inCells).size());
  }

  private static double probability(Map<?, ?> shown, int slot) {
    return ((Number) list(shown, "probabilities").get(slot)).doubleValue();
  }

  private static boolean isRight(Map<?, ?> shown, int slot) {
    return list(shown, "labels").get(slot).equals(list(shown, "answers").get(slot));
  }

  private static List<Integer> slots(Map<?, ?> json, String name) {
    return list(json, name).stream().map(slot -> (Integer) slot).toList();
  }

  private static void assertFalls(Map<?, ?> shown, List<Integer> slots) {
    for (int i = 1; i < slots.size(); i++) {
      assertTrue(probability(shown, slots.get(i - 1)) >= probability(shown, slots.get(i)));
    }
  }

  @Test
  void hasTheWeightsOfTheModel() {
    Program.succeed(words("--save-best --validation 10"));
    float[] weights = ModelFile.read(out.resolve("model.safetensors")).weights().get(0);
    Map<?, ?> shown = map(report(), "weights");
    byte[] bytes = Base64.getDecoder().decode((String) shown.get("bytes"));
    double full = ((Number) shown.get("full")).doubleValue();
    assertEquals(weights.length, bytes.length);
    int beyond = 0;
    for (int i = 0; i < weights.length; i++) {
      if (Math.abs(weights[i]) > full) {
        beyond++;
        assertEquals(weights[i] > 0 ? 127 : -127, bytes[i]);
      } else {
        assertEquals(weights[i], bytes[i] * full / 127, full / 127);
      }
    }
    assertTrue(beyond <= weights.length / 100, beyond + " of " + weights.length);
  }

  @Test
  void isThereBeforeTheFirstStepAndFollowsTheRun() {
    var seen = new ArrayList<String>();
    var asked = new AtomicInteger();
    var slow = new AtomicBoolean(); // whether a report was due again after the first epoch
    long start = System.nanoTime();
    Program.run(
        Program.NO_GPUS,
        () -> {
          int done = asked.getAndIncrement();
          if (done == 4) {
            slow.set(System.nanoTime() - start > 2_000_000_000L);
          }
          if (done % 4 == 0) { // an epoch has four steps
            Map<String, Object> report = report();
            seen.add(((String) report.get("status")).replaceFirst(" Written .*", ""));
            assertNull(report.get("test"));
            assertEquals(20, list(map(report, "training"), "labels").size());
          }
          if (done == 6) { // a step of the second epoch
            sleep(2100);
          }
          return false;
        },
        words(""));
    assertEquals(
        List.of(
            "Training: 0 of 3 epochs are done.",
            slow.get() ? seen.get(1) : "Training: 0 of 3 epochs are done.", // a moment later
            "Training: 2 of 3 epochs are done."),
        seen);
    assertEquals(3, list(map(report(), "metrics"), "epochs").size());
  }

  private static void sleep(int millis) {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void saysHowARunEnded() {
    var asked = new AtomicInteger();
    Program.run(Program.NO_GPUS, () -> asked.incrementAndGet() == 7, words(""));
    assertStatus(
        "Interrupted: stopped in epoch 2, after step 6; --resume %s --data %s goes on."
            .formatted(out, data));
    var begun = new ArrayList<String>();
    Program.run(
        Program.NO_GPUS,
        () -> {
          begun.add((String) report().get("status"));
          return false;
        },
        "--resume",
        out,
        "--data",
        data);
    assertTrue(begun.get(0).startsWith("Training: 1 of 3 epochs are done. "), begun.get(0));
    assertStatus("Done: 3 epochs, 12 steps.");
    Program.succeed(only("--epochs 1 --batch-size 50"));
    assertStatus("Done: 1 epoch, 1 step. Written ");
    Program.succeed("--resume", out, "--data", data, "--epochs", 3);
    assertEquals(3, list(map(report(), "metrics"), "epochs").size());
    Program.succeed(
        only("--validation 10 --early-stopping 1 --lr 0.5 --batch-size 16 --epochs 99"));
    Map<?, ?> metrics = map(report(), "metrics");
    int done = list(metrics, "epochs").size();
    assertTrue(done < 99);
    assertStatus(
        "Done: %d epochs, %d steps. Stopped early: no better validation loss for 1 epoch."
            .formatted(done, 3 * done));
    assertEquals(5, Program.run(words("--optimizer sgd --lr 1e30")).code());
    assertStatus("Ended: training diverged: losses and weights must be finite, found ");
    assertNull(report().get("weights"));
  }

  /** No other step meets the last step's update: the test shows that it diverged. */
  @Test
  void aRunThatDivergesAtItsEndHasNoTest() {
    int code = Program.run(only("--optimizer sgd --lr 1e37 --batch-size 50 --epochs 1")).code();
    assertEquals(5, code);
    assertStatus("Ended: training diverged: losses and weights must be finite, found ");
    assertNull(map(report(), "metrics").get("test"));
    assertNull(report().get("test"));
  }

  /**
   * A folder of that name keeps the report from being written: the run goes on, and says so at the
   * end.
   */
  @Test
  void aReportThatCannotBeWrittenEndsNoRun() throws IOException {
    Files.createDirectories(out.resolve("report.html/in the way"));
    Program diverged = Program.run(words("--optimizer sgd --lr 1e30"));
    assertEquals(5, diverged.code(), diverged.err());
    assertTrue(diverged.out().contains("report.html: cannot be written: "), diverged.out());
    Program stopped = Program.run(Program.NO_GPUS, () -> true, words(""));
    assertEquals(130, stopped.code(), stopped.err());
    assertTrue(
        stopped.err().contains("--resume %s --data %s goes on".formatted(out, data)),
        stopped.err());
    Program done = Program.run(words(""));
    assertEquals(7, done.code());
    assertTrue(done.err().startsWith(out.resolve("report.html") + ": cannot be written: "));
    assertTrue(Files.exists(out.resolve("model.safetensors")));
  }

  private void assertStatus(String begin) {
    String status = (String) report().get("status");
    assertTrue(status.startsWith(begin), status);
  }

  @Test
  void dryRunWritesNone() {
    Program.succeed(words("--dry-run"));
    assertFalse(Files.exists(out.resolve("report.html")));
  }

  @Test
  void longRunsAreThinnedOut() {
    data = Program.writeData(tmp.resolve("long"), 5, 7, 3, 4500, 20);
    Program.succeed(only("--epochs 1 --batch-size 1 --hidden none --log-interval 1"));
    List<?> steps = list(map(report(), "metrics"), "steps");
    assertEquals(1500, steps.size());
    for (int i = 0; i < 1500; i++) {
      assertEquals(3 * i + 3, ((Map<?, ?>) steps.get(i)).get("step"));
    }
  }

  /** 20 images of 1 MB would make a page that is too large to open. */
  @Test
  void imagesThatWouldMakeItTooLargeAreLeftOut() throws IOException {
    data = Program.writeData(tmp.resolve("large"), 600, 600, 2, 8, 8);
    Program.succeed(only("--epochs 1 --hidden 6"));
    Path page = out.resolve("report.html");
    assertTrue(Files.size(page) < 10 << 20, "" + Files.size(page));
    Map<?, ?> report = report();
    assertEquals(2, list(map(report, "training"), "labels").size());
    assertEquals(2, list(map(report, "test"), "first").size());
    assertTrue(list(map(report, "test"), "indices").size() <= 5);
  }

  @Test
  void manyClassesFit() throws IOException {
    data = Program.writeData(tmp.resolve("many"), 20, 20, 256, 2560, 2560);
    Program.succeed(only("--max-steps 3 --hidden none"));
    Map<?, ?> test = map(report(), "test");
    assertTrue(list(test, "indices").size() <= (2 << 20) / 400, "" + list(test, "indices").size());
    assertTrue(Files.size(out.resolve("report.html")) < 6 << 20);
  }

  /** A name must never become part of the page. */
  @Test
  void namesAreText() throws IOException {
    Path folder = Files.createDirectories(tmp.resolve("<").resolve("script><script>alert(1)<"));
    data = Program.writeData(folder.resolve("script>{{report.js}}$1&lt;"), 5, 7, 3, 50, 20);
    out = tmp.resolve("<b>{{data}}&amp;");
    Program.succeed(words(""));
    String page = Files.readString(out.resolve("report.html"));
    assertTrue(page.contains("<title>mlp-cuda: &lt;b>{{data}}&amp;amp;</title>"), "the title");
    assertFalse(page.contains("alert(1)<"));
    Map<?, ?> settings = map(map(report(), "metrics"), "settings");
    assertTrue(
        ((String) settings.get("dataset"))
            .endsWith("</script><script>alert(1)</script>{{report.js}}$1&lt;"));
  }

  @Test
  void lrFindDrawsItsCurve() throws IOException {
    Path page = tmp.resolve("range.html");
    Program program =
        Program.succeed(
            Program.words(
                "lr-find --cpu --hidden 6 --batch-size 16 --steps 30 --json",
                "--data",
                data,
                "--report",
                page));
    assertEquals(Program.json(program.out()), data(page).get("range"));
  }
}
