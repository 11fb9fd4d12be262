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
import java.util.Base64;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.openqa.selenium.By;
import org.openqa.selenium.Keys;
import org.openqa.selenium.WebElement;
import org.openqa.selenium.interactions.PointerInput.Kind;

/** Tests the page of {@code serve} in a browser: pictures from files instead of drawings. */
@Timeout(value = 10, unit = TimeUnit.MINUTES)
@Tag("long")
class PicturePageTest extends ServedPage {
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
    choose(file("seven <b>&.png", bytes)); // the file from before is chosen again
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
}
