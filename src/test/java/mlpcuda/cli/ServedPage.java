package mlpcuda.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.openqa.selenium.By;
import org.openqa.selenium.WebElement;
import org.openqa.selenium.interactions.PointerInput;
import org.openqa.selenium.interactions.PointerInput.Kind;
import org.openqa.selenium.interactions.PointerInput.MouseButton;
import org.openqa.selenium.interactions.PointerInput.Origin;
import org.openqa.selenium.interactions.Sequence;

/** The page of {@code serve} in a browser. */
abstract class ServedPage {
  @TempDir static Path tmp;

  static Serving server;

  static Browser browser;

  static String url;

  @BeforeAll
  static void start() throws InterruptedException {
    browser = Browser.open();
    Path out = tmp.resolve("run");
    Program.succeed(Program.words("--cpu --threads 2 --epochs 2 --out", out));
    server = new Serving(Program.NO_GPUS, out.resolve("model.safetensors"), "--cpu --threads 1");
    url = server.url();
  }

  @AfterAll
  static void stop() {
    if (browser != null) {
      browser.close();
    }
    if (server != null) {
      Program program = server.stop();
      assertEquals(0, program.code(), program.err());
      assertEquals("", program.err());
    }
  }

  @BeforeEach
  void open() {
    browser.show(url, 1000, 900, false);
    browser.waitFor("document.querySelectorAll('#bars li').length === 10");
  }

  /** The strokes of a digit, as points in fractions of the paper's side. */
  static double[][][] strokes(int digit) {
    return switch (digit) {
      case 0 ->
          new double[][][] {
            {
              {.5, .15},
              {.36, .22},
              {.29, .38},
              {.28, .55},
              {.33, .72},
              {.45, .84},
              {.56, .83},
              {.67, .72},
              {.72, .52},
              {.70, .34},
              {.62, .2},
              {.5, .15}
            }
          };
      case 1 -> new double[][][] {{{.52, .15}, {.51, .4}, {.5, .6}, {.49, .85}}};
      case 3 ->
          new double[][][] {
            {
              {.3, .2},
              {.45, .14},
              {.62, .18},
              {.68, .3},
              {.6, .43},
              {.46, .48},
              {.62, .53},
              {.7, .66},
              {.62, .8},
              {.45, .86},
              {.3, .8}
            }
          };
      case 4 ->
          new double[][][] {
            {{.34, .15}, {.3, .35}, {.29, .52}, {.45, .52}, {.7, .5}},
            {{.66, .15}, {.63, .5}, {.6, .88}}
          };
      default ->
          new double[][][] {{{.28, .2}, {.5, .19}, {.72, .2}, {.6, .45}, {.5, .65}, {.43, .87}}};
    };
  }

  static void draw(Kind kind, double[][][] strokes) {
    WebElement paper = browser.driver().findElement(By.id("drawing"));
    int side = paper.getSize().getWidth();
    var pointer = new PointerInput(kind, kind.name());
    var moves = new Sequence(pointer, 0);
    for (double[][] stroke : strokes) {
      for (int i = 0; i < stroke.length; i++) {
        int x = (int) Math.round((stroke[i][0] - 0.5) * side);
        int y = (int) Math.round((stroke[i][1] - 0.5) * side);
        var to = Origin.fromElement(paper);
        moves.addAction(pointer.createPointerMove(Duration.ofMillis(i == 0 ? 0 : 5), to, x, y));
        if (i == 0) {
          moves.addAction(pointer.createPointerDown(MouseButton.LEFT.asArg()));
        }
      }
      moves.addAction(pointer.createPointerUp(MouseButton.LEFT.asArg()));
    }
    browser.driver().perform(List.of(moves));
    // The text must be of the state that is drawn, not of one on the way to it.
    browser.waitFor("!asking && document.getElementById('spoken').textContent !== ''");
  }

  static String text(String id) {
    return browser.driver().findElement(By.id(id)).getText();
  }

  /** The fraction of dark pixels among all pixels of the drawing area that are not transparent. */
  static double ink() {
    return ((Number)
            browser.script(
                "const c = document.getElementById('drawing'), copy ="
                    + " document.createElement('canvas'); copy.width = c.width; copy.height = c.height;"
                    + "const context = copy.getContext('2d', {willReadFrequently: true});"
                    + "context.drawImage(c, 0, 0);"
                    + "const data = context.getImageData(0, 0, c.width, c.height).data;"
                    + "let dark = 0, all = 0; for (let i = 0; i < data.length; i += 4) {"
                    + "all += data[i + 3] > 0; dark += data[i + 3] > 0 && data[i] < 128; }"
                    + "return all === 0 ? 0 : dark / all"))
        .doubleValue();
  }
}
