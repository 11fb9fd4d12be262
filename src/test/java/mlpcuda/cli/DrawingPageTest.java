package mlpcuda.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.openqa.selenium.By;
import org.openqa.selenium.Keys;
import org.openqa.selenium.WebElement;
import org.openqa.selenium.interactions.PointerInput;
import org.openqa.selenium.interactions.PointerInput.Kind;
import org.openqa.selenium.interactions.PointerInput.MouseButton;
import org.openqa.selenium.interactions.PointerInput.Origin;
import org.openqa.selenium.interactions.Sequence;

/** The page of {@code serve} in a browser, drawn on as by a hand. */
@Timeout(value = 10, unit = TimeUnit.MINUTES)
class DrawingPageTest {
  @TempDir static Path tmp;
  private static Serving server;
  private static Browser browser;
  private static String url;

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

  /** Strokes of points, in parts of the paper's side. */
  private static double[][][] strokes(int digit) {
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

  private static void draw(Kind kind, double[][][] strokes) {
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
    // Of the state that is drawn, not of one on the way to it.
    browser.waitFor("!asking && document.getElementById('spoken').textContent !== ''");
  }

  private static String text(String id) {
    return browser.driver().findElement(By.id(id)).getText();
  }

  @ParameterizedTest
  @CsvSource({"0, MOUSE", "1, MOUSE", "3, MOUSE", "7, MOUSE", "4, TOUCH", "7, TOUCH", "0, PEN"})
  void whatIsDrawnIsShown(int digit, Kind kind) {
    draw(kind, strokes(digit));
    assertEquals(Integer.toString(digit), text("class"));
    assertEquals(
        Long.toString(digit),
        browser.script("return document.querySelector('.best .label').textContent"));
    double sum =
        ((Number)
                browser.script(
                    "return [...document.querySelectorAll('.percent')]"
                        + ".reduce((sum, each) => sum + parseFloat(each.textContent), 0)"))
            .doubleValue();
    assertEquals(100, sum, 0.5, "ten numbers, rounded to 0.1");
    long lit =
        (Long)
            browser.script(
                "const c = document.getElementById('seen');"
                    + "return c.getContext('2d').getImageData(0, 0, c.width, c.height).data"
                    + ".filter((v, i) => i % 4 === 0 && v > 128).length");
    assertTrue(lit > 20 && lit < 300, lit + " of 784 pixels are ink");
    browser.assertNoComplaints();
  }

  @Test
  void answersComeWhileDrawing() {
    WebElement paper = browser.driver().findElement(By.id("drawing"));
    var mouse = new PointerInput(Kind.MOUSE, Kind.MOUSE.name());
    var half = new Sequence(mouse, 0);
    half.addAction(mouse.createPointerMove(Duration.ZERO, Origin.fromElement(paper), 0, -100));
    half.addAction(mouse.createPointerDown(MouseButton.LEFT.asArg()));
    half.addAction(
        mouse.createPointerMove(Duration.ofMillis(50), Origin.fromElement(paper), 0, 100));
    browser.driver().perform(List.of(half));
    browser.waitFor("document.getElementById('class').textContent === '1'");
    browser.driver().resetInputState();
  }

  @Test
  void clear() {
    for (CharSequence key : List.of(Keys.ENTER, Keys.ESCAPE, Keys.DELETE)) {
      draw(Kind.MOUSE, strokes(7));
      WebElement button = browser.driver().findElement(By.id("clear"));
      button.sendKeys(key);
      assertEquals("–", text("class"));
      assertEquals("true", button.getAttribute("aria-disabled"));
      assertEquals(button, browser.driver().switchTo().activeElement(), "keeps the focus");
    }
    assertEquals(
        false,
        browser.script(
            "const c = document.getElementById('drawing');"
                + "return c.getContext('2d').getImageData(0, 0, c.width, c.height).data"
                + ".some(v => v > 0)"));
    draw(Kind.MOUSE, strokes(1));
    assertEquals("1", text("class"), "nothing of the 7 is left");
    browser.assertNoComplaints();
  }

  @Test
  void undoTakesTheLastStroke() {
    draw(Kind.MOUSE, strokes(1));
    String alone = text("probability");
    draw(Kind.MOUSE, new double[][][] {{{.2, .3}, {.8, .7}}});
    browser.driver().findElement(By.id("undo")).click();
    browser.waitFor("!asking");
    assertEquals("1", text("class"));
    assertEquals(alone, text("probability"));
  }

  @ParameterizedTest
  @CsvSource({"400, false", "400, true", "1400, false", "1400, true"})
  void fitsAndIsSeen(int width, boolean dark) {
    browser.show(url, width, 900, dark);
    browser.waitFor("document.querySelectorAll('#bars li').length === 10");
    String name = "serve-" + width + (dark ? "-dark" : "-light");
    browser.assertFitsInWidth();
    browser.screenshot(name + "-empty");
    draw(Kind.MOUSE, strokes(3));
    assertEquals("3", text("class"));
    browser.waitFor("document.getAnimations().length === 0");
    browser.assertFitsInWidth();
    browser.screenshot(name);
    browser.assertNoComplaints();
  }

  @Test
  void aDotIsInk() {
    draw(Kind.MOUSE, new double[][][] {{{.5, .5}}});
    assertTrue(text("probability").endsWith("%"), text("probability"));
    browser.assertNoComplaints();
  }

  /** An answer to a drawing that was cleared is not one to the next. */
  @Test
  void anAnswerThatComesTooLate() {
    draw(Kind.MOUSE, strokes(7)); // the bars are there
    browser.script(
        "document.getElementById('clear').click(); window.ask7 = window.fetch; window.held = [];"
            + "window.fetch = (...of) => new Promise(done => held.push(() =>"
            + " done(window.ask7(...of))))");
    WebElement paper = browser.driver().findElement(By.id("drawing"));
    paper.click(); // a dot, which is asked about
    browser.waitFor("held.length === 1");
    browser.script("document.getElementById('clear').click()");
    paper.click(); // another one, while that is held back
    browser.script("held[0]()");
    browser.waitFor("held.length === 2");
    assertEquals("–", text("class"));
    assertEquals("", browser.script("return document.getElementById('spoken').textContent"));
    browser.script("window.fetch = window.ask7; held[1]()");
    browser.waitFor("!asking && document.getElementById('spoken').textContent !== ''");
    browser.assertNoComplaints();
  }

  @Test
  void aServerThatWasGoneWhenThePageWasOpened() {
    browser.script("document.getElementById('bars').replaceChildren()"); // no /model, no bars
    draw(Kind.MOUSE, strokes(7));
    assertEquals("7", text("class"));
    assertEquals(10L, browser.script("return document.querySelectorAll('#bars .track').length"));
    browser.assertNoComplaints();
  }

  @Test
  void aServerThatIsGone() {
    browser.script("window.fetch = () => Promise.reject(new TypeError('gone'))");
    WebElement paper = browser.driver().findElement(By.id("drawing"));
    paper.click();
    browser.waitFor("!document.getElementById('error').hidden");
    assertTrue(text("error").startsWith("The server does not answer."), text("error"));
    browser.screenshot("serve-gone");
  }
}
