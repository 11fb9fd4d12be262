package mlpcuda.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.geom.Path2D;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
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

/** Tests the page of {@code serve} in a browser, drawn on as by a hand. */
@Timeout(value = 10, unit = TimeUnit.MINUTES)
@Tag("long")
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

  /** The strokes of a digit, as points in fractions of the paper's side. */
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
    // The text must be of the state that is drawn, not of one on the way to it.
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

  /** A picture of a 7, dark on light, with noise; it is turned to the left if asked for. */
  private static byte[] seven(int width, int height, int noise, boolean turned, String format) {
    var random = new Random(1);
    var picture = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
    Graphics2D pen = picture.createGraphics();
    pen.setColor(Color.WHITE);
    pen.fillRect(0, 0, width, height);
    if (turned) {
      pen.translate(0, height);
      pen.rotate(-Math.PI / 2);
    }
    double side = Math.min(width, height);
    double left = ((turned ? height : width) - side) / 2;
    double top = ((turned ? width : height) - side) / 2;
    pen.setColor(Color.BLACK);
    pen.setStroke(
        new BasicStroke((float) (0.08 * side), BasicStroke.CAP_ROUND, BasicStroke.JOIN_ROUND));
    var line = new Path2D.Double();
    double[][] points = strokes(7)[0];
    line.moveTo(left + side * points[0][0], top + side * points[0][1]);
    for (double[] point : points) {
      line.lineTo(left + side * point[0], top + side * point[1]);
    }
    pen.draw(line);
    for (int i = 0; noise > 0 && i < width * height; i++) {
      int rgb = picture.getRGB(i % width, i / width);
      int level = Math.min(255, (rgb & 0xFF) * 3 / 4 + random.nextInt(noise));
      picture.setRGB(i % width, i / width, level << 16 | level << 8 | level);
    }
    var bytes = new ByteArrayOutputStream();
    try {
      assertTrue(ImageIO.write(picture, format, bytes));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  private static Path file(String name, byte[] bytes) throws IOException {
    return Files.write(tmp.resolve(name), bytes);
  }

  /**
   * Chooses a file as the system's dialogue does, and keeps the bytes sent in {@code window.sent}.
   */
  private static void choose(Path file) {
    browser.script(
        "window.unspied ??= window.fetch; window.sent = null; window.fetch = (...of) => {"
            + "if (of[0] === 'predict') window.sent = of[1].body; return window.unspied(...of); }");
    browser.driver().findElement(By.id("file")).sendKeys(file.toString());
  }

  private static final String ANSWERED =
      "photo !== null && !asking && document.getElementById('spoken').textContent !== ''";

  /** The fraction of dark pixels among all pixels of the drawing area that are not transparent. */
  private static double ink() {
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

  @Test
  void aPictureIsChosen() throws IOException {
    draw(Kind.MOUSE, strokes(1));
    byte[] bytes = seven(300, 200, 0, false, "png");
    choose(file("seven <b>&.png", bytes));
    browser.waitFor(ANSWERED);
    assertEquals("7", text("class"));
    assertEquals(
        Base64.getEncoder().encodeToString(bytes),
        browser
            .driver()
            .executeAsyncScript(
                "const done = arguments[0]; window.sent.arrayBuffer().then(b =>"
                    + " done(btoa(String.fromCharCode(...new Uint8Array(b)))))"),
        "the file as it is");
    WebElement paper = browser.driver().findElement(By.id("drawing"));
    assertEquals("The picture seven <b>&.png", paper.getAttribute("aria-label"));
    double ink = ink();
    assertTrue(ink > 0.01 && ink < 0.2, ink + " of the picture that is shown is ink");
    assertEquals("", text("hint"));
    browser.screenshot("serve-chosen");

    browser.driver().findElement(By.id("undo")).click(); // what was drawn before comes back
    browser.waitFor("photo === null && !asking");
    assertEquals("1", text("class"));
    choose(file("seven <b>&.png", bytes)); // the same again
    browser.waitFor(ANSWERED);
    draw(Kind.MOUSE, strokes(0)); // drawing on a picture begins a new drawing
    assertEquals("0", text("class"));
    assertEquals(1L, browser.script("return strokes.length"));
    choose(file("seven <b>&.png", bytes));
    browser.waitFor(ANSWERED);
    browser.driver().findElement(By.id("clear")).click();
    assertEquals("–", text("class"));
    assertEquals(0, ink());
    assertEquals("Drawing area, for mouse, pen or finger", paper.getAttribute("aria-label"));
    browser.assertNoComplaints();
  }

  @Test
  void aPictureIsDropped() {
    browser.script(
        "window.drag = (name, files) => { const held = new DataTransfer();"
            + "files.forEach(f => held.items.add(f)); const event = new DragEvent(name, {bubbles: true,"
            + " cancelable: true, dataTransfer: held}); document.querySelector('h1')"
            + ".dispatchEvent(event); return event.defaultPrevented; };"
            + "window.file = new File([Uint8Array.from(atob(arguments[0]), c => c.charCodeAt(0))],"
            + " 'seven.png', {type: 'image/png'});",
        Base64.getEncoder().encodeToString(seven(200, 300, 0, false, "png")));
    assertEquals(true, browser.script("return drag('dragover', [file])"), "the page stays");
    assertEquals("dragged", browser.script("return document.body.className"));
    assertEquals(true, browser.script("return drag('drop', [file])"));
    assertEquals("", browser.script("return document.body.className"));
    browser.waitFor(ANSWERED);
    assertEquals("7", text("class"));
    browser.script("drag('drop', [])");
    assertTrue(text("error").startsWith("Only files can be dropped"), text("error"));
    browser.assertNoComplaints();
  }

  /** Adds an orientation to the JPEG: its first row is the left side of the picture, and so on. */
  private static byte[] oriented(byte[] jpeg, int orientation) {
    byte[] exif = {
      'E',
      'x',
      'i',
      'f',
      0,
      0,
      'M',
      'M',
      0,
      42,
      0,
      0,
      0,
      8,
      0,
      1, // one entry
      1,
      0x12,
      0,
      3,
      0,
      0,
      0,
      1,
      0,
      (byte) orientation,
      0,
      0,
      0,
      0,
      0,
      0
    };
    return ByteBuffer.allocate(jpeg.length + 4 + exif.length)
        .put(jpeg, 0, 2)
        .put(new byte[] {(byte) 0xFF, (byte) 0xE1})
        .putShort((short) (exif.length + 2))
        .put(exif)
        .put(jpeg, 2, jpeg.length - 2)
        .array();
  }

  /**
   * A telephone's photograph has more bytes and pixels than the server takes, and lies on its side.
   */
  @Test
  void aLargePhotographIsMadeSmallerAndTurned() throws IOException {
    byte[] jpeg = oriented(seven(2800, 2100, 60, true, "jpg"), 6); // 6: to be turned to the right
    assertTrue(jpeg.length > 1 << 20, jpeg.length + " bytes are more than the server takes");
    choose(file("large.jpg", jpeg));
    browser.waitFor(ANSWERED);
    assertEquals("7", text("class"));
    assertEquals(
        "image/jpeg 1200 1600 true",
        browser
            .driver()
            .executeAsyncScript(
                "const done = arguments[0]; createImageBitmap(sent).then(b => done(sent.type + ' ' +"
                    + " b.width + ' ' + b.height + ' ' + (sent.size <= 1 << 20)))"));
    browser.screenshot("serve-photograph");
    browser.assertNoComplaints();
  }

  /** Noise shrinks little as PNG, and so it is sent with as many pixels as its bytes allow. */
  @Test
  void aLargePngIsMadeSmallEnough() throws IOException {
    byte[] png = seven(1500, 1500, 60, false, "png");
    assertTrue(png.length > 1 << 20, png.length + " bytes are more than the server takes");
    choose(file("large.png", png));
    browser.waitFor(ANSWERED);
    assertEquals("7", text("class"));
    assertEquals(
        "image/png true", browser.script("return sent.type + ' ' + (sent.size <= 1 << 20)"));
    browser.assertNoComplaints();
  }

  /** The server may decode a picture that this browser cannot. */
  @Test
  void aPictureThatOnlyTheServerReads() throws IOException {
    var pgm = new StringBuilder("P2 28 28 255\n");
    for (int i = 0; i < 28 * 28; i++) {
      pgm.append(i % 28 >= 13 && i % 28 <= 15 && i / 28 > 3 && i / 28 < 24 ? "0 " : "255 ");
    }
    choose(file("one.pgm", pgm.toString().getBytes(StandardCharsets.US_ASCII)));
    browser.waitFor(ANSWERED);
    assertEquals("1", text("class"));
    assertEquals("one.pgm: this browser cannot show it", text("hint"));
    browser.assertNoComplaints();
  }

  private static void waitForError(String begin) {
    browser.waitFor("!document.getElementById('error').hidden");
    assertTrue(text("error").startsWith(begin), text("error"));
    assertEquals("–", text("class"), "no answer to something else is left");
  }

  @ParameterizedTest
  @CsvSource({
    "text.txt, 400, The server cannot read this picture (picture: ",
    "blank.png, 422, The server finds no character in this picture (picture: "
  })
  void whatIsRefusedIsToldInWords(String name, int status, String begin) throws IOException {
    draw(Kind.MOUSE, strokes(7));
    var bytes = new ByteArrayOutputStream();
    if (status == 400) {
      bytes.writeBytes("no picture".getBytes(StandardCharsets.US_ASCII));
    } else {
      var blank = new BufferedImage(40, 40, BufferedImage.TYPE_BYTE_GRAY);
      assertTrue(ImageIO.write(blank, "png", bytes));
    }
    choose(file(name, bytes.toByteArray()));
    waitForError(begin);
    List<String> complaints = browser.complaints();
    assertEquals(1, complaints.size(), complaints.toString());
    assertTrue(complaints.get(0).contains("status of " + status), complaints.toString());
    draw(Kind.MOUSE, strokes(7)); // the next drawing is answered again
    assertEquals("7", text("class"));
    assertEquals("", text("error"));
    browser.assertNoComplaints();
  }

  @ParameterizedTest
  @CsvSource({
    "413, The picture is too large for the server (why).",
    "503, The server is busy; try again in a moment (why).",
    "500, The server refuses (why)."
  })
  void otherRefusalsAreToldInWords(int status, String message) throws IOException {
    browser.script(
        "window.fetch = () => Promise.resolve(new Response('{\"error\":\"why\"}', {status:"
            + " arguments[0]}))",
        status);
    browser
        .driver()
        .findElement(By.id("file"))
        .sendKeys(file("seven.png", seven(30, 30, 0, false, "png")).toString());
    waitForError(message);
    assertEquals(message, text("error"));
    browser.assertNoComplaints();
  }

  @Test
  void aLargeFileThatIsNoPicture() throws IOException {
    choose(file("large.bin", new byte[3 << 19]));
    waitForError("large.bin has 1.5 MiB. The server takes at most 1 MiB, and this browser cannot");
    assertNull(browser.script("return window.sent"), "nothing is sent");
    browser.assertNoComplaints();
  }

  @Test
  void theKeyboardReachesTheFile() {
    browser.driver().findElement(By.id("undo")).sendKeys(Keys.TAB);
    WebElement focused = browser.driver().switchTo().activeElement();
    assertEquals("file", focused.getAttribute("id"));
    assertEquals("Choose a picture", focused.getAccessibleName());
    assertEquals(
        "solid",
        browser.script("return getComputedStyle(document.querySelector('.button')).outlineStyle"),
        "what is focused is seen");
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
