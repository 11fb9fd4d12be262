package mlpcuda.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Tests the reports of unusual runs in Chromium: many classes, odd images, warnings, no epochs. */
@Tag("long")
class ReportPageRunsTest extends ReportInBrowser {
  /** The matrix of many classes is as wide as the page, and every cell of it can be reached. */
  @ParameterizedTest
  @CsvSource({"26, 400", "26, 1400", "62, 400", "62, 1900", "120, 1400"})
  void manyClassesHaveTheWholeWidth(int classes, int width) {
    Path file = tmp.resolve("classes" + classes).resolve("report.html");
    show(Files.exists(file) ? file : run("classes" + classes, classes, ""), width);
    browser.assertNoComplaints();
    browser.assertFitsInWidth();
    String box = "document.querySelector('.heat').parentElement";
    double wide = ((Number) browser.script("return " + box + ".offsetWidth")).doubleValue();
    assertTrue(wide > width - 90, wide + " of " + width + " pixels");
    boolean scrolls =
        (Boolean) browser.script("return " + box + ".scrollWidth > " + box + ".clientWidth");
    assertEquals(width == 400 || classes == 120, scrolls);
    assertEquals(classes * 2, texts(".heat th").size());
    assertEquals(
        List.of(),
        list(
            "[...document.querySelectorAll('.heat th, .heat button')].filter(e => e.scrollWidth >"
                + " e.clientWidth + 1 || parseFloat(getComputedStyle(e).fontSize) < 11).map(e =>"
                + " e.innerText)"),
        "cut or small");
    // At the far end the last cell is visible, and both of its labels beside it.
    assertEquals(
        true,
        browser.script(
            "const box = document.querySelector('.heat').parentElement;"
                + "box.scrollIntoView({block: 'end'}); box.scrollTo(1e6, 1e6);"
                + "const around = box.getBoundingClientRect();"
                + "const seen = s => { const e = document.querySelector(s), r = e.getBoundingClientRect();"
                + " return r.left >= around.left - 1 && r.right <= around.right + 1 && r.top >= around.top"
                + " - 1 && r.bottom <= around.bottom + 1; };"
                + "return seen('.heat tr:last-child td:last-child') && seen('.heat tr:last-child th')"
                + " && seen('.heat tr:first-child th:last-child')"));
    browser.screenshot("report-%d-classes-%d".formatted(classes, width));
  }

  /** Each image stands before its distortions, in rows that fit the page. */
  @ParameterizedTest
  @CsvSource({"400", "1400"})
  void distortedImagesStandBesideTheirOriginals(int width) {
    Path file = tmp.resolve("distorted").resolve("report.html");
    show(Files.exists(file) ? file : run("distorted", 3, "--augment elastic:8:2,rotate:20"), width);
    browser.assertNoComplaints();
    browser.assertFitsInWidth();
    assertEquals(
        List.of(
            "The first of each row is an image as it is, the others are its distortions in the"
                + " first 7 epochs."),
        texts("#distorted p"));
    List<?> labels =
        list("[...document.querySelectorAll('#distorted canvas')].map(e => e.ariaLabel)");
    assertEquals(80, labels.size());
    assertTrue(((String) labels.get(8)).startsWith("Training image, class "), labels.toString());
    assertTrue(((String) labels.get(15)).startsWith("Distorted in epoch 7"), labels.toString());
    assertEquals(
        10L,
        browser.script(
            "return new Set([...document.querySelectorAll('#distorted canvas')]"
                + ".map(e => Math.round(e.getBoundingClientRect().top))).size"));
    browser.screenshot("report-distorted-" + width);
  }

  /** Names and options are shown letter by letter, and never become part of the page. */
  @Test
  void hostileTextIsText() throws IOException {
    Path hostile =
        Files.createDirectories(tmp.resolve("<img src=x onerror='document.title=1'>\"$&"));
    Path out = hostile.resolve("</script><script>document.title=2</script>".replace('/', '\u2215'));
    Path data = Program.writeData(hostile.resolve("data"), 5, 7, 3, 50, 20);
    Program.succeed(Program.words("--cpu --epochs 1 --hidden 6 --data", data, "--out", out));
    show(out.resolve("report.html"), 400);
    browser.assertNoComplaints();
    browser.assertFitsInWidth();
    assertEquals("mlp-cuda: " + out.getFileName(), browser.script("return document.title"));
    assertEquals(0L, browser.script("return document.images.length"));
    assertEquals(
        3L, browser.script("return document.scripts.length"), "the data, Chart.js, the page's");
    String command = (String) texts("#settings code").get(0);
    assertTrue(
        command.endsWith("--out " + "'" + out.toString().replace("'", "'\\''") + "'"), command);
  }

  /** A table has no pictures: its rows, its ranges and the importance of its columns are shown. */
  @ParameterizedTest
  @CsvSource({"400, false", "1400, true", "1400, false"})
  void aTableHasRowsRangesAndImportance(int width, boolean dark) throws IOException {
    Path out = tmp.resolve("table-run");
    if (!Files.exists(out)) {
      Path table = ColumnImportanceTest.write(tmp.resolve("table.csv"), 400);
      Program.succeed(
          Program.words(
              "--cpu --epochs 8 --batch-size 16 --hidden 8 --importance --data",
              table,
              "--out",
              out));
    }
    browser.show(out.resolve("report.html").toUri().toString(), width, 900, dark);
    browser.assertNoComplaints();
    browser.assertFitsInWidth();
    assertEquals(0L, browser.script("return document.images.length"));
    assertEquals(
        3L, browser.script("return document.scripts.length"), "the data, Chart.js, the page's");
    assertEquals(
        List.of("class", "<img src=x>", "</script><script>alert(1)</script>", "word"),
        texts("#table th"));
    assertEquals(10, texts("#table tbody tr").size());
    assertEquals(
        List.of("<img src=x>", "</script><script>alert(1)</script>", "word"),
        texts("#ranges tbody td:first-child"));
    assertEquals(
        List.of("2000 to 2001", "<b>, blue, red"),
        texts("#ranges tbody td:nth-child(2)").subList(1, 3));
    assertEquals(
        List.of("</script><script>alert(…"),
        list("Chart.getChart(document.querySelector('#importance canvas')).data.labels")
            .subList(0, 1));
    assertEquals(
        List.of(),
        list(
            "['mistakes', 'examples', 'training', 'weights', 'cell', 'choose'].filter(id =>"
                + " !document.getElementById(id).hidden)"));
    assertEquals(
        List.of(),
        list("[...document.querySelectorAll('.heat button:enabled')].map(b => b.innerText)"),
        "cells that would show images");
    browser.screenshot("report-table-%d-%s".formatted(width, dark ? "dark" : "light"));
  }

  @ParameterizedTest
  @CsvSource({"3, 300", "300, 3"})
  void longAndNarrowImagesFit(int rows, int cols) {
    Path data = Program.writeData(tmp.resolve("narrow" + rows), rows, cols, 3, 50, 20);
    Path out = tmp.resolve("narrow-run" + rows);
    Program.succeed(Program.words("--cpu --epochs 1 --hidden 6 --data", data, "--out", out));
    browser.show(out.resolve("report.html").toUri().toString(), 400, 900, false);
    browser.assertNoComplaints();
    browser.assertFitsInWidth();
    long tallest =
        (Long)
            browser.script(
                "return Math.max(...[...document.querySelectorAll('.gallery canvas')].map(c =>"
                    + " c.offsetHeight))");
    assertTrue(tallest <= 120, tallest + " pixels");
  }

  /** A run with nothing to draw yet has a page, too. */
  @Test
  void anEmptyRunIsAPageToo() {
    Path data = Program.writeData(tmp.resolve("data"), 5, 7, 3, 50, 20);
    Path out = tmp.resolve("stopped");
    Program.run(Program.NO_GPUS, () -> true, Program.words("--cpu --data", data, "--out", out));
    browser.show(out.resolve("report.html").toUri().toString(), 400, 900, false);
    browser.assertNoComplaints();
    browser.assertFitsInWidth();
    assertEquals(
        List.of("training", "weights", "layers", "settings"),
        list("[...document.querySelectorAll('section:not([hidden])')].map(s => s.id)"));
  }

  /** The page of a committee has no curves, but the confusion matrix and the mistakes. */
  @Test
  void aCommitteeIsAPageToo() {
    show(run("committee", 3, "--members 2 --member-widths 5,as-is"), 1400);
    browser.assertNoComplaints();
    browser.assertFitsInWidth();
    List<?> shown = list("[...document.querySelectorAll('section:not([hidden])')].map(s => s.id)");
    assertTrue(shown.containsAll(List.of("confusion", "mistakes", "confidence")), "" + shown);
    assertFalse(shown.contains("loss"), "" + shown);
  }

  @Test
  void theRangeTestIsAPageToo() {
    Path data = Program.writeData(tmp.resolve("range-data"), 5, 7, 3, 50, 20);
    Path file = tmp.resolve("range.html");
    Program.succeed(Program.words("lr-find --cpu --batch-size 16 --data", data, "--report", file));
    for (int width : new int[] {400, 1400}) {
      browser.show(file.toUri().toString(), width, 900, width == 400);
      browser.assertNoComplaints();
      browser.assertFitsInWidth();
      assertEquals(
          List.of("range"),
          list("[...document.querySelectorAll('section:not([hidden])')].map(s => s.id)"));
      browser.screenshot("range-" + width);
    }
  }
}
