package mlpcuda.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import mlpcuda.data.EmbeddedMnist;
import mlpcuda.data.ExampleSet;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Tests the report as people see it, in Chromium: what is drawn must be what the run measured. */
@Tag("long")
class ReportPageTest extends ReportInBrowser {
  private static String page;

  private static Map<?, ?> metrics;

  @BeforeAll
  static void train() {
    Path out = tmp.resolve("run");
    Program.succeed(
        Program.words(
            "--cpu --threads 2 --epochs 3 --validation 5000 --dropout 0.2 --schedule exponential:0.9"
                + " --out",
            out));
    page = out.resolve("report.html").toUri().toString();
    metrics = (Map<?, ?>) ReportTest.data(out.resolve("report.html")).get("metrics");
  }

  private static void show() {
    browser.show(page, 1400, 900, false);
  }

  @ParameterizedTest
  @CsvSource({"400, false", "400, true", "1400, false", "1400, true"})
  void isWholeAtEachWidthAndInEachScheme(int width, boolean dark) {
    browser.show(page, width, 900, dark);
    browser.assertNoComplaints();
    browser.assertFitsInWidth();
    assertEquals(
        List.of("loss", "accuracy", "rate", "time", "confidence", "calibration"),
        list(
            "[...document.querySelectorAll('.chart canvas')].filter(c => c.offsetWidth > 200"
                + " && c.offsetHeight > 150).map(c => c.closest('section').id)"));
    // Something was drawn: all pixels of a blank canvas are the same.
    List<?> colors =
        list(
            "[...document.querySelectorAll('.charts section:not([hidden]) canvas')].map(c => new"
                + " Set(new Uint32Array(c.getContext('2d').getImageData(0, 0, c.width,"
                + " c.height).data.buffer)).size)");
    for (Object count : colors) {
      assertTrue((Long) count > 10, colors.toString());
    }
    assertEquals(
        List.of(), // nothing is cut off, but for tables in boxes of their own
        list(
            "[...document.querySelectorAll('main *')].filter(e => e.scrollWidth > e.clientWidth"
                + " + 1 && getComputedStyle(e).display !== 'inline' && !e.closest('.scroll')).map(e =>"
                + " e.outerHTML.slice(0, 80))"));
    assertEquals(0L, browser.script("return performance.getEntriesByType('resource').length"));
    browser.screenshot("report-%d-%s".formatted(width, dark ? "dark" : "light"));
  }

  @Test
  void textIsReadable() {
    for (boolean dark : new boolean[] {false, true}) {
      browser.show(page, 400, 900, dark);
      List<?> pale =
          list(
              "[...document.querySelectorAll('main *')].filter(e => e.children.length === 0 &&"
                  + " e.offsetWidth > 0 && e.innerText?.trim()).flatMap(e => {"
                  + CONTRAST
                  + "return ratio(e) < 4.5 ? [e.innerText + ' ' + ratio(e)] : []; })");
      assertEquals(List.of(), pale, dark ? "dark" : "light");
      List<?> small =
          list(
              "[...document.querySelectorAll('main *')].filter(e => e.children.length === 0 &&"
                  + " e.offsetWidth > 0 && e.innerText?.trim()).map(e =>"
                  + " parseFloat(getComputedStyle(e).fontSize)).filter(s => s < 11)");
      assertEquals(List.of(), small);
    }
  }

  /** Computes the contrast of an element's text with its background (WCAG 2.2, 1.4.3). */
  private static final String CONTRAST =
      """
      const context = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
      const rgb = color => { context.clearRect(0, 0, 1, 1); context.fillStyle = color;
          context.fillRect(0, 0, 1, 1); return [...context.getImageData(0, 0, 1, 1).data]; };
      const light = ([r, g, b]) => { const [x, y, z] = [r, g, b].map(v => v / 255).map(v =>
          v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
          return 0.2126 * x + 0.7152 * y + 0.0722 * z; };
      const behind = e => { const own = rgb(getComputedStyle(e).backgroundColor);
          return own[3] > 250 || !e.parentElement ? own : behind(e.parentElement); };
      const ratio = e => { const a = light(rgb(getComputedStyle(e).color)), b = light(behind(e));
          return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05); };
      """;

  @Test
  void chartsChangeTheirColoursWithTheScheme() {
    show();
    String text = "return Chart.getChart(document.querySelector('#loss canvas')).options.color";
    Object light = browser.script(text);
    browser.prefer(true);
    browser.waitFor(
        "Chart.getChart(document.querySelector('#loss canvas')).options.color !== '" + light + "'");
    browser.assertNoComplaints();
  }

  private static void assertPoints(String rows, String x, String y, double factor, List<?> found) {
    var expected = new ArrayList<double[]>();
    for (Object each : (List<?>) metrics.get(rows)) {
      Map<?, ?> row = (Map<?, ?>) each;
      double at = ((Number) row.get(x)).doubleValue();
      expected.add(new double[] {at, factor * ((Number) row.get(y)).doubleValue()});
    }
    assertTrue(expected.size() >= 3);
    assertEquals(expected.size(), found.size());
    for (int i = 0; i < found.size(); i++) {
      List<?> point = (List<?>) found.get(i);
      assertEquals(expected.get(i)[0], ((Number) point.get(0)).doubleValue());
      assertEquals(expected.get(i)[1], ((Number) point.get(1)).doubleValue(), 1e-9);
    }
  }

  @Test
  void curvesAreWhatWasMeasured() {
    show();
    assertPoints("epochs", "step", "loss", 1, points("loss", 0));
    assertPoints("epochs", "step", "validation_loss", 1, points("loss", 1));
    assertPoints("epochs", "step", "test_loss", 1, points("loss", 2));
    assertPoints("steps", "step", "loss", 1, points("loss", 3));
    assertPoints("epochs", "epoch", "accuracy", 100, points("accuracy", 0));
    assertPoints("epochs", "epoch", "validation_accuracy", 100, points("accuracy", 1));
    assertPoints("epochs", "epoch", "test_accuracy", 100, points("accuracy", 2));
    assertEquals(List.of("training", "validation", "test"), names("accuracy"));
    assertPoints("epochs", "epoch", "learning_rate", 1, points("rate", 0));
    assertPoints("epochs", "epoch", "seconds", 1, points("time", 0));
  }

  @Test
  void confidenceAndCalibrationAreWhatWasMeasured() {
    show();
    Map<?, ?> test = (Map<?, ?>) metrics.get("test");
    Map<?, ?> calibration = (Map<?, ?>) test.get("calibration");
    var right = new ArrayList<Object>();
    var wrong = new ArrayList<Object>();
    var curve = new ArrayList<List<Double>>();
    for (Object each : (List<?>) calibration.get("bins")) {
      Map<?, ?> bin = (Map<?, ?>) each;
      long count = ((Number) bin.get("count")).longValue();
      right.add(((Number) bin.get("right")).longValue());
      wrong.add(count - ((Number) bin.get("right")).longValue());
      if (count > 0) {
        curve.add(
            List.of(100 * (Double) bin.get("confidence"), 100 * (Double) bin.get("accuracy")));
      }
    }
    assertEquals(List.of("right", "wrong"), names("confidence"));
    assertEquals(right, points("confidence", 0).stream().map(p -> ((List<?>) p).get(1)).toList());
    assertEquals(wrong, points("confidence", 1).stream().map(p -> ((List<?>) p).get(1)).toList());
    long all = right.stream().mapToLong(n -> (Long) n).sum();
    assertEquals(((Number) test.get("right")).longValue(), all);
    List<?> drawn = points("calibration", 0);
    assertTrue(curve.size() >= 5 && curve.size() == drawn.size(), "" + drawn);
    for (int i = 0; i < drawn.size(); i++) {
      for (int xy = 0; xy < 2; xy++) {
        double found = ((Number) ((List<?>) drawn.get(i)).get(xy)).doubleValue();
        assertEquals(curve.get(i).get(xy), found, 1e-9);
      }
    }
    assertEquals(List.of(List.of(0L, 0L), List.of(100L, 100L)), points("calibration", 1));
    String note = (String) texts("#calibration .note").get(0);
    String error =
        "Expected calibration error %.2f%%, ".formatted(100 * (Double) calibration.get("ece"));
    assertTrue(note.startsWith(error), note + " must start with " + error);
  }

  @Test
  void lossCanBeLogarithmic() {
    show();
    String type =
        "return Chart.getChart(document.querySelector('#loss canvas')).options.scales.y.type";
    assertEquals("linear", browser.script(type));
    browser.click("#logarithmic");
    assertEquals("logarithmic", browser.script(type));
    browser.assertNoComplaints();
  }

  @Test
  void matrixAndClassesAreWhatWasMeasured() {
    show();
    Map<?, ?> test = (Map<?, ?>) metrics.get("test");
    var counts = new ArrayList<String>();
    for (Object row : (List<?>) test.get("confusion")) {
      for (Object count : (List<?>) row) {
        counts.add(count.equals(0) ? "" : count.toString());
      }
    }
    assertEquals(counts, texts(".heat tr:not(:first-child) td"));
    var numbers = new ArrayList<String>();
    for (Object each : (List<?>) test.get("classes")) {
      Map<?, ?> of = (Map<?, ?>) each;
      numbers.add(
          "%s %.4f %.4f %.4f %,d"
              .formatted(
                  of.get("class"),
                  of.get("precision"),
                  of.get("recall"),
                  of.get("f1"),
                  of.get("examples")));
    }
    assertEquals(
        numbers,
        texts("#classes tbody tr").stream()
            .map(row -> ((String) row).replaceAll("\\s+", " "))
            .toList());
    // A cell's colour is mixed with the card's by its share; errors have a scale of their own.
    List<?> confusion = (List<?>) test.get("confusion");
    double most = 0;
    for (int truth = 0; truth < 10; truth++) {
      for (int answer = 0; answer < 10; answer++) {
        most = truth == answer ? most : Math.max(most, share(confusion, truth, answer));
      }
    }
    for (int truth = 0; truth < 10; truth++) {
      for (int answer = 0; answer < 10; answer++) {
        double share = share(confusion, truth, answer);
        if (share > 0) {
          boolean right = truth == answer;
          String style =
              (String)
                  browser.script(
                      "return document.querySelector(arguments[0]).getAttribute('style')",
                      cell(truth, answer));
          String mixed =
              "var(%s) %d%%"
                  .formatted(
                      right ? "--accent" : "--error", Math.round(55 * share / (right ? 1 : most)));
          assertTrue(style.contains(mixed), style + " " + mixed);
        }
      }
    }
  }

  private static double share(List<?> confusion, int truth, int answer) {
    List<?> row = (List<?>) confusion.get(truth);
    int size = row.stream().mapToInt(count -> (Integer) count).sum();
    return (double) (Integer) row.get(answer) / size;
  }

  private static String cell(int truth, int answer) {
    return ".heat tr:nth-child(%d) td:nth-child(%d) button".formatted(truth + 2, answer + 2);
  }

  @Test
  void aCellShowsItsImages() {
    show();
    List<?> confusion = (List<?>) ((Map<?, ?>) metrics.get("test")).get("confusion");
    ExampleSet test = EmbeddedMnist.load().test();
    for (int[] cell : new int[][] {{7, 7}, {9, 4}, {4, 9}}) {
      int truth = cell[0];
      int answer = cell[1];
      int count = (Integer) ((List<?>) confusion.get(truth)).get(answer);
      assertTrue(count > 0, "three epochs leave such mistakes");
      browser.click(cell(truth, answer));
      assertEquals(
          List.of("true %d, answered %d: %d".formatted(truth, answer, count)),
          list(
              "[...document.querySelectorAll('[aria-pressed=true]')].map(b =>"
                  + " b.getAttribute('aria-label'))"));
      int shown = Math.min(24, count);
      assertEquals(shown, texts("#cell figure").size());
      String title = (String) texts("#cell h2").get(0);
      String order = truth == answer ? "the least certain" : "the most certain";
      String some = shown < count ? " (here 24, %s)".formatted(order) : "";
      assertEquals("True %d, answered %d: %,d%s".formatted(truth, answer, count, some), title);
      for (Object caption : texts("#cell figcaption")) {
        String mark = truth == answer ? "✓" : "✗";
        assertTrue(
            ((String) caption)
                .matches("true %d\\s+%s %d, [\\d.]+%%".formatted(truth, mark, answer)),
            (String) caption);
      }
      assertImages("#cell", "Test image (\\d+): true class " + truth + ", answer " + answer, test);
    }
    browser.assertNoComplaints();
  }

  /** Asserts that the images of a section are those of the set that their labels name. */
  private static void assertImages(String section, String label, ExampleSet set) {
    List<?> images =
        list(
            "[...document.querySelectorAll(arguments[0] + ' canvas')].map(c =>"
                + " [c.getAttribute('aria-label'), ...c.getContext('2d').getImageData(0, 0, 28,"
                + " 28).data])",
            section);
    assertTrue(!images.isEmpty());
    for (Object each : images) {
      List<?> image = (List<?>) each;
      String name = (String) image.get(0);
      assertTrue(name.matches(label), name);
      int index = Integer.parseInt(name.replaceAll("\\D*(\\d+).*", "$1"));
      byte[] pixels = Arrays.copyOfRange(set.features().array(), index * 784, (index + 1) * 784);
      List<Long> expected =
          IntStream.range(0, 784 * 4)
              .mapToObj(i -> i % 4 == 3 ? 255L : Byte.toUnsignedLong(pixels[i / 4]))
              .toList();
      assertEquals(expected, image.subList(1, image.size()), name);
    }
  }

  @Test
  void galleriesShowTheirImages() {
    show();
    var mnist = EmbeddedMnist.load();
    assertEquals(20, texts("#mistakes figure").size());
    assertImages("#mistakes", "Test image \\d+: true class \\d, answer \\d", mnist.test());
    assertEquals(20, texts("#examples figure").size());
    assertImages("#examples", "Test image 1?\\d: true class \\d, answer \\d", mnist.test());
    List<?> labels = texts("#training figcaption");
    assertEquals(20, labels.size());
    assertEquals(128, texts("#weights figure").size());
  }

  @Test
  void layersAndSettingsAreThere() {
    show();
    assertEquals(
        List.of(
            "layers.0 784 128 relu 100,480",
            "layers.1 128 64 relu 8,256",
            "layers.2 64 10 none 650"),
        texts("#layers tbody tr").stream()
            .map(row -> ((String) row).replaceAll("\\s+", " "))
            .toList());
    List<?> names = texts("#settings dt");
    List<?> values = texts("#settings dd");
    assertEquals(((Map<?, ?>) metrics.get("settings")).size(), names.size());
    assertEquals("0.2, 0.2", values.get(names.indexOf("dropout")));
    assertEquals(
        "adam (beta1 0.9, beta2 0.999, eps 1.0E-8, weight decay 0.0)",
        values.get(names.indexOf("optimizer")));
  }

  @Test
  void theMatrixNamesItsAxes() {
    for (int width : new int[] {400, 1400}) {
      browser.show(page, width, 900, false);
      assertEquals(List.of("Answer"), texts("#columns"));
      assertEquals(List.of("True class"), texts("#rows"));
      assertEquals(
          true,
          browser.script(
              "const box = s => document.querySelector(s).getBoundingClientRect();"
                  + "const heat = box('.heat'), columns = box('#columns'), rows = box('#rows');"
                  + "return columns.bottom <= heat.top + 1 && columns.top > box('#confusion').top"
                  + " && rows.right <= heat.left + 1 && rows.left >= box('#confusion').left"
                  + " && rows.height > rows.width"),
          "above and left of the matrix, within its card");
    }
  }

  /** All columns of all tables are visible on a phone, without scrolling. */
  @ParameterizedTest
  @CsvSource({"360", "400"})
  void noColumnIsCutOnAPhone(int width) {
    browser.show(page, width, 700, false);
    assertEquals(
        List.of(),
        list(
            "[...document.querySelectorAll('table')].filter(t => t.parentElement.scrollWidth >"
                + " t.parentElement.clientWidth).map(t => t.className)"),
        "tables that scroll");
    assertEquals(
        List.of(),
        list(
            "[...document.querySelectorAll('th, td')].filter(e => { const box ="
                + " e.getBoundingClientRect(); return box.left < 0 || box.right > innerWidth ||"
                + " e.scrollWidth > e.clientWidth + 1; }).map(e => e.innerText)"),
        "cells outside of the page, or cut");
    assertEquals(5, texts("#classes th").size());
  }

  @Test
  void aConstantLearningRateIsText() {
    show(run("constant", 3, "--lr 0.002"), 1400);
    assertEquals(List.of("Learning rate 0.002, constant."), texts("#constant"));
    assertEquals(
        List.of("loss", "accuracy", "time", "confidence", "calibration"),
        list("[...document.querySelectorAll('.charts section:not([hidden])')].map(s => s.id)"));
    show(run("not-reduced", 3, "--lr 0.002 --schedule plateau:0.1:9 --validation 10"), 1400);
    assertEquals(
        List.of("Learning rate 0.002 after each epoch, schedule plateau:0.1:9."),
        texts("#constant"));
    show();
    assertEquals(List.of(""), texts("#constant"), "this run's rate has a chart");
    browser.assertNoComplaints();
  }

  /** A test at the end alone makes no curve: its accuracy is a horizontal line. */
  @Test
  void aTestAtTheEnd() {
    show(run("at-end", 3, "--test-at-end"), 1400);
    assertEquals(List.of("training", "test, at the end"), names("accuracy"));
    assertEquals(List.of("training, mean of the epoch", "training, single batches"), names("loss"));
    browser.assertNoComplaints();
  }

  @Test
  void theTotalTimeIsTold() {
    show();
    List<?> tiles = texts("#tiles dt");
    String time = (String) texts("#tiles dd").get(tiles.indexOf("Total time"));
    double seconds = ((Number) metrics.get("total_seconds")).doubleValue();
    assertTrue(time.matches("[\\d.]+ s|\\d+ min \\d+ s"), time);
    if (seconds < 59) {
      assertEquals(seconds, Double.parseDouble(time.replace(" s", "")), 0.051);
    }
  }

  @Test
  void warningsStandOut() {
    show();
    assertEquals(List.of(), texts("#warnings:not([hidden])"));
    show(run("first-two", 3, "--subset 2"), 400); // the two images are of the classes 0 and 1
    List<?> warnings = texts("#warnings li");
    assertTrue(
        ((String) warnings.get(0)).startsWith("Class 2 has no training example"), "" + warnings);
    browser.assertFitsInWidth();
    browser.assertNoComplaints();
  }
}
