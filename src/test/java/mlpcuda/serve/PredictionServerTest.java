package mlpcuda.serve;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.jr.ob.JSON;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.net.Socket;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import javax.imageio.ImageIO;
import mlpcuda.error.DeviceException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests the answers to pictures, the page, and what follows a failure of the program or device. */
class PredictionServerTest extends ServedNetwork {
  @Test
  void answersJson() throws IOException {
    RawHttp.Reply reply = predict(STROKE);
    assertEquals(200, reply.status(), reply.text());
    Map<String, Object> answer = JSON.std.mapFrom(reply.text());
    assertEquals(
        List.of(
            "class",
            "probability",
            "likeliest",
            "probabilities",
            "preparation",
            "rows",
            "cols",
            "pixels"),
        List.copyOf(answer.keySet()));
    assertEquals("mnist-form", answer.get("preparation"));
    List<?> probabilities = (List<?>) answer.get("probabilities");
    assertEquals(Running.CLASSES, probabilities.size());
    assertEquals(1, probabilities.stream().mapToDouble(p -> (Double) p).sum(), 1e-6);
    assertEquals(probabilities.get((Integer) answer.get("class")), answer.get("probability"));
    assertEquals(3, ((List<?>) answer.get("likeliest")).size());
    assertEquals(Running.ROWS, answer.get("rows"));
    assertEquals(Running.COLS, answer.get("cols"));
    assertEquals(35, Base64.getDecoder().decode((String) answer.get("pixels")).length);
    assertEquals("nosniff", reply.headers().get("x-content-type-options"));
    assertEquals("no-store", reply.headers().get("cache-control"));
  }

  @Test
  void theSamePictureIsTheSameInEveryFormat() throws IOException {
    byte[] grey = new byte[35];
    for (int y = 0; y < 5; y++) {
      grey[7 * y + 3] = -1;
    }
    var image = new BufferedImage(7, 5, BufferedImage.TYPE_BYTE_GRAY);
    image.getRaster().setDataElements(0, 0, 7, 5, grey);
    var png = new ByteArrayOutputStream();
    assertTrue(ImageIO.write(image, "png", png));
    byte[] expected = predict(STROKE).body();
    byte[] pgm = RawHttp.joined(RawHttp.bytes("P5 7 5 255\n"), grey);
    assertArrayEquals(expected, send("POST /predict", png.toByteArray()).body());
    assertArrayEquals(expected, send("POST /predict", pgm).body());
    assertArrayEquals(expected, send("POST /predict?raw=false", pgm).body());
  }

  @Test
  void rawIsTakenAsItIs() throws IOException {
    byte[] ramp = new byte[35];
    for (int i = 0; i < 35; i++) {
      ramp[i] = (byte) (7 * i);
    }
    byte[] pgm = RawHttp.joined(RawHttp.bytes("P5 7 5 255\n"), ramp);
    Map<String, Object> raw = JSON.std.mapFrom(send("POST /predict?raw=true", pgm).text());
    assertArrayEquals(ramp, Base64.getDecoder().decode((String) raw.get("pixels")));
    Map<String, Object> formed = JSON.std.mapFrom(send("POST /predict", pgm).text());
    assertFalse(raw.get("pixels").equals(formed.get("pixels")));
    assertError(
        422,
        "picture: with raw=true a picture must be 5x7 as the network's inputs, and this one is 1x2",
        send("POST /predict?raw=true", RawHttp.bytes("P5 2 1 255\nab")));
  }

  @Test
  void aBlankPicture() throws IOException {
    assertError(
        422,
        "picture: blank: ink must differ from the paper by at least 16 of 255 levels, found 5",
        predict("{\"image\": [[5, 0], [0, 0]]}"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "''|this is an empty file, and a picture must be a PNG, JPEG, GIF, BMP, TIFF, WebP or PGM"
            + " file; other kinds can be saved as PNG or JPEG",
        "Dear Yann|this is a text, and a picture must be a PNG, JPEG, GIF, BMP, TIFF, WebP or PGM"
            + " file; other kinds can be saved as PNG or JPEG",
        "P5 2 1 255 a|2 samples need 13 bytes, found 12",
        "P5 2001 2000 255 a|a picture must have sides from 1 to 65535 and at most 4000000 pixels,"
            + " found 2000x2001",
        "{}|the object must have the one field image, found }",
        "{\"picture\": []}|the object must have the one field image, found picture",
        "{\"image\": 1}|image must be rows of grey levels, found 1",
        "{\"image\": []}|image must be rows of grey levels, found ] after 0",
        "{\"image\": [1]}|image must be rows of grey levels, found 1 after 0",
        "{\"image\": [[]]}|rows must be of one length, from 1 on: row 0 has 0 pixels, found 0 in"
            + " row 0",
        "{\"image\": [[1, 2], [3]]}|rows must be of one length, from 1 on: row 0 has 2 pixels,"
            + " found 1 in row 1",
        "{\"image\": [[1, 256]]}|grey levels must be from 0 to 255, found 256",
        "{\"image\": [[1, -1]]}|grey levels must be from 0 to 255, found -1",
        "{\"image\": [[1, 99999999999999999999]]}|grey levels must be from 0 to 255, found"
            + " 99999999999999999999",
        "{\"image\": [[1, 2.5]]}|row 0 must be whole numbers, found 2.5",
        "{\"image\": [[1, null]]}|row 0 must be whole numbers, found null",
        "{\"image\": [[1, [2]]]}|row 0 must be whole numbers, found [",
        "{\"image\": [[1]], \"raw\": true}|the object must have the one field image, found raw",
        "{\"image\": [[1]]} {}|JSON must end after the object, found {",
      })
  void aMalformedPicture(String body, String message) throws IOException {
    assertError(400, "picture: " + message, predict(body));
  }

  @ParameterizedTest
  @ValueSource(strings = {"{", "{\"image\": [[1, 2", "{\"image\": [[01]]}", "{\"image\": [[1 2]]}"})
  void malformedJson(String body) throws IOException {
    RawHttp.Reply reply = predict(body);
    assertEquals(400, reply.status());
    assertTrue(reply.text().contains("\"picture: must be JSON of "), reply.text());
  }

  @Test
  void longNumbers() throws IOException {
    assertError(
        400,
        "picture: names, texts and numbers must have at most 100 characters, found more",
        predict("{\"image\": [[" + "1".repeat(10_000) + "]]}"));
  }

  @Test
  void queries() throws IOException {
    assertError(
        400,
        "the query must be raw=true, raw=false or nothing, found raw=1",
        send("POST /predict?raw=1", RawHttp.bytes(STROKE)));
  }

  @Test
  void whatTheNetworkIs() throws IOException {
    Map<String, Object> model = JSON.std.mapFrom(send("GET /model", null).text());
    assertEquals("net.safetensors", model.get("model"));
    assertEquals("35-6-4", model.get("layers"));
    assertEquals(4, model.get("classes"));
    assertEquals(5, model.get("rows"));
    assertEquals(7, model.get("cols"));
    assertEquals("mnist-form", model.get("preparation"));
    assertTrue(model.get("device").toString().startsWith("CPU, 1 thread"), model.toString());
  }

  @ParameterizedTest
  @CsvSource({
    "/, text/html; charset=utf-8",
    "/page.css, text/css; charset=utf-8",
    "/serve.css, text/css; charset=utf-8",
    "/serve.js, text/javascript; charset=utf-8",
    "/icon.svg, image/svg+xml"
  })
  void thePage(String path, String type) throws IOException {
    RawHttp.Reply page = send("GET " + path, null);
    assertEquals(200, page.status());
    assertEquals(type, page.headers().get("content-type"));
    assertTrue(page.body().length > 0);
    String policy = page.headers().get("content-security-policy");
    assertTrue(policy.startsWith("default-src 'none'; script-src 'self';"), policy);
    assertTrue(policy.endsWith("frame-ancestors 'none'"), policy);
    try (Socket socket = RawHttp.connect(server.port(), MILLIS)) {
      byte[] head = RawHttp.request(server.port(), "HEAD " + path, null, "Connection: close");
      socket.getOutputStream().write(head);
      String answer = new String(socket.getInputStream().readAllBytes());
      assertTrue(answer.startsWith("HTTP/1.1 200 "), answer);
      assertTrue(
          answer.toLowerCase().contains("\ncontent-length: " + page.body().length + "\r"), answer);
      assertTrue(answer.endsWith("\r\n\r\n"), "HEAD has no body");
    }
  }

  @Test
  void aDeviceThatIsTooSlowOrBusy() throws IOException {
    var begun = new CountDownLatch(1);
    var done = new CountDownLatch(1);
    try (var slow =
        new Running(
            "127.0.0.1",
            1,
            (body, raw) -> {
              begun.countDown();
              awaitQuietly(done);
              return body;
            })) {
      byte[] request = RawHttp.request(slow.port(), "POST /predict", RawHttp.bytes("x"));
      var clients = Executors.newCachedThreadPool();
      var replies = new ArrayList<CompletableFuture<RawHttp.Reply>>();
      replies.add(CompletableFuture.supplyAsync(() -> sendOrFail(slow.port(), request), clients));
      awaitQuietly(begun);
      for (int i = 0; i < PictureQueue.WAITING + 2; i++) {
        replies.add(CompletableFuture.supplyAsync(() -> sendOrFail(slow.port(), request), clients));
      }
      int busy = 0;
      for (CompletableFuture<RawHttp.Reply> reply : replies) {
        boolean waited = reply.join().text().contains("was not answered within 1 s");
        assertError(
            503,
            waited
                ? "busy: the picture was not answered within 1 s"
                : "busy: at most 8 pictures may wait, found more",
            reply.join());
        busy += waited ? 0 : 1;
      }
      assertEquals(2, busy);
      clients.shutdown();
      done.countDown();
      assertEquals("x", sendOrFail(slow.port(), request).text());
    }
  }

  private static RawHttp.Reply sendOrFail(int port, byte[] request) {
    try {
      return RawHttp.send(port, request, false, MILLIS);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void awaitQuietly(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Test
  void aFailureInsideIsToldToTheTerminalAlone() throws IOException {
    try (var failing =
        new Running(
            "127.0.0.1",
            (body, raw) -> {
              if (raw) {
                throw new IllegalStateException("secret");
              }
              return body;
            })) {
      byte[] bad = RawHttp.request(failing.port(), "POST /predict?raw=true", RawHttp.bytes("x"));
      byte[] good = RawHttp.request(failing.port(), "POST /predict", RawHttp.bytes("x"));
      assertError(
          500,
          "internal failure: the server's terminal shows the reason",
          RawHttp.send(failing.port(), bad, false, MILLIS));
      assertEquals("secret", failing.failures.get(0).getMessage());
      assertEquals(200, RawHttp.send(failing.port(), good, false, MILLIS).status());
    }
  }

  @Test
  void aFailureOfTheDeviceEndsTheServer() throws IOException {
    var server =
        new Running(
            "127.0.0.1",
            (body, raw) -> {
              throw new DeviceException("the GPU is gone", "Look for it.");
            });
    int port = server.port();
    byte[] request = RawHttp.request(port, "POST /predict", RawHttp.bytes("x"));
    assertEquals(500, RawHttp.send(port, request, false, MILLIS).status());
    var ended = assertThrows(CompletionException.class, () -> server.ended().join());
    assertInstanceOf(DeviceException.class, ended.getCause());
    server.close();
    assertThrows(ConnectException.class, () -> RawHttp.send(port, request, false, MILLIS));
  }
}
