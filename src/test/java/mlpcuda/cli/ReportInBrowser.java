package mlpcuda.cli;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;

/** A browser that shows reports of runs. */
abstract class ReportInBrowser {
  @TempDir static Path tmp;

  static Browser browser;

  @BeforeAll
  static void openBrowser() {
    browser = Browser.open();
  }

  @AfterAll
  static void close() {
    if (browser != null) {
      browser.close();
    }
  }

  static List<?> list(String script, Object... arguments) {
    return (List<?>) browser.script("return " + script, arguments);
  }

  static List<?> texts(String selector) {
    return list(
        "[...document.querySelectorAll(arguments[0])].map(e => e.innerText.trim())", selector);
  }

  /** Makes a small run that is done, with that number of classes. */
  static Path run(String name, int classes, String options) {
    Path data = Program.writeData(tmp.resolve(name + "-data"), 8, 8, classes, 20 * classes, 990);
    Path out = tmp.resolve(name);
    Program.succeed(
        Program.words("--cpu --hidden 6 --epochs 2 " + options, "--data", data, "--out", out));
    return out.resolve("report.html");
  }

  static void show(Path file, int width) {
    browser.show(file.toUri().toString(), width, 900, false);
  }

  static List<?> points(String chart, int set) {
    return list(
        "Chart.getChart(document.querySelector('#' + arguments[0] + ' canvas'))"
            + ".data.datasets[arguments[1]].data.map(p => [Number(p.x), p.y])",
        chart,
        set);
  }

  static List<?> names(String chart) {
    return list(
        "Chart.getChart(document.querySelector('#' + arguments[0] + ' canvas'))"
            + ".data.datasets.map(set => set.label)",
        chart);
  }
}
