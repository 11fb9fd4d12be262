package mlpcuda.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
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

/** Tests the page of {@code serve} in a browser, drawn on as by a hand. */
@Timeout(value = 10, unit = TimeUnit.MINUTES)
@Tag("long")
class DrawingPageTest extends ServedPage {
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

  /** The answer to a drawing that was cleared must not be shown for the next one. */
  @Test
  void anAnswerThatComesTooLate() {
    draw(Kind.MOUSE, strokes(7)); // the bars are shown
    browser.script(
        "document.getElementById('clear').click(); window.ask7 = window.fetch; window.held = [];"
            + "window.fetch = (...of) => new Promise(done => held.push(() =>"
            + " done(window.ask7(...of))))");
    WebElement paper = browser.driver().findElement(By.id("drawing"));
    paper.click(); // a dot, whose request is sent
    browser.waitFor("held.length === 1");
    browser.script("document.getElementById('clear').click()");
    paper.click(); // another one, while that request is held back
    browser.script("held[0]()");
    browser.waitFor("held.length === 2");
    assertEquals("–", text("class"));
    assertEquals("", browser.script("return document.getElementById('spoken').textContent"));
    browser.script("window.fetch = window.ask7; held[1]()");
    browser.waitFor("!asking && document.getElementById('spoken').textContent !== ''");
    browser.assertNoComplaints();
  }

  /** Asserts that the first element of each selector is wholly within the window. */
  private static void assertSeen(String... selectors) {
    assertEquals(0L, browser.script("return Math.round(scrollY)"));
    assertEquals(
        List.of(),
        browser.script(
            "return [...arguments[0]].flatMap(s => [...document.querySelectorAll(s)]).filter(e => {"
                + "const box = e.getBoundingClientRect();"
                + "return box.width === 0 || box.left < 0 || box.top < 0 || box.right > innerWidth"
                + " || box.bottom > innerHeight; }).map(e => e.outerHTML)",
            List.of(selectors)));
  }

  @ParameterizedTest
  @CsvSource({"400, 700, 300", "360, 640, 250", "412, 915, 350", "640, 360, 200", "800, 600, 300"})
  void theProbabilitiesAreSeenBesideTheDrawing(int width, int height, int leastSide) {
    browser.show(url, width, height, false);
    browser.waitFor("document.querySelectorAll('#bars li').length === 10");
    warn("This is probably not one character: two pieces of ink stand side by side.");
    draw(Kind.TOUCH, strokes(3));
    assertEquals("3", text("class"));
    assertSeen("#drawing", "#bars li", "#class", "#probability", "#seen", "#warning", "#clear");
    int side = browser.driver().findElement(By.id("drawing")).getSize().getWidth();
    assertTrue(side >= leastSide, side + " pixels to draw on");
    browser.assertFitsInWidth();
    browser.waitFor("document.getAnimations().length === 0");
    browser.screenshot("serve-%dx%d".formatted(width, height));
    browser.assertNoComplaints();
  }

  /** Makes the server's answers have that warning from now on, or, for null, none. */
  private static void warn(String warning) {
    browser.script(
        "window.unwarned ??= window.fetch; window.fetch = async (...of) => {"
            + "const response = await window.unwarned(...of);"
            + "return of[0] !== 'predict' ? response : new Response(JSON.stringify("
            + "{...await response.json(), warning: arguments[0] ?? undefined})); }",
        warning);
  }

  @Test
  void aWarningIsShownAndSpoken() {
    warn("This is probably not one <b>character</b>.");
    draw(Kind.MOUSE, strokes(7));
    assertEquals("This is probably not one <b>character</b>.", text("warning"));
    String spoken = (String) browser.script("return document.getElementById('spoken').textContent");
    assertTrue(spoken.endsWith("%. This is probably not one <b>character</b>."), spoken);
    browser.script("document.getElementById('clear').click()");
    assertEquals("", text("warning"));
    warn(null);
    draw(Kind.MOUSE, strokes(7));
    assertEquals("", text("warning"));
    browser.assertNoComplaints();
  }

  /** The likeliest of many classes come first, and the list scrolls within itself. */
  @Test
  void manyClasses() throws InterruptedException {
    Path data = Program.writeData(tmp.resolve("data26"), 8, 8, 26, 260, 26);
    Path out = tmp.resolve("run26");
    Program.succeed(Program.words("--cpu --hidden 6 --epochs 1 --data", data, "--out", out));
    try (var many =
        new Serving(Program.NO_GPUS, out.resolve("model.safetensors"), "--cpu --threads 1")) {
      browser.show(many.url(), 400, 700, true);
      browser.waitFor("document.querySelectorAll('#bars li').length === 26");
      draw(Kind.MOUSE, strokes(7));
      assertEquals(
          "Draw a character", browser.script("return document.querySelector('h1').innerText"));
      assertSeen("#drawing", "#bars", "#bars li:nth-child(-n+10)", "#class");
      assertEquals(
          text("class"),
          browser.script("return document.querySelector('#bars li:first-child .label').innerText"));
      List<?> shown =
          (List<?>)
              browser.script(
                  "return [...document.querySelectorAll('#bars .percent')].map(e =>"
                      + " parseFloat(e.innerText))");
      for (int i = 1; i < shown.size(); i++) {
        double before = ((Number) shown.get(i - 1)).doubleValue();
        assertTrue(before >= ((Number) shown.get(i)).doubleValue(), shown.toString());
      }
      browser.assertFitsInWidth();
      browser.screenshot("serve-26-classes");
      browser.assertNoComplaints();
    }
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
