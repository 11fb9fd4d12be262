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
import java.util.concurrent.TimeUnit;
import javax.imageio.ImageIO;
import mlpcuda.error.DeviceException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests each status of the documents' table, and who may send requests. */
@Timeout(value = 10, unit = TimeUnit.MINUTES)
class PredictionServerTest {
  /** A time-out that is far longer than any answer takes. */
  private static final int MILLIS = 5 * 60_000;

  /** A picture of the network's size: a stroke from top to bottom. */
  private static final String STROKE =
      """
      {"image": [[0,0,0,255,0,0,0], [0,0,0,255,0,0,0], [0,0,0,255,0,0,0], [0,0,0,255,0,0,0],
      [0,0,0,255,0,0,0]]}""";

  private static Running server;

  @BeforeAll
  static void start() throws IOException {
    server = new Running();
  }

  @AfterAll
  static void stop() {
    server.close();
    assertEquals(List.of(), server.failures);
  }

  private static RawHttp.Reply send(String line, byte[] body, String... headers)
      throws IOException {
    byte[] request = RawHttp.request(server.port(), line, body, headers);
    return RawHttp.send(server.port(), request, false, MILLIS);
  }

  private static RawHttp.Reply predict(String body) throws IOException {
    return send("POST /predict", RawHttp.bytes(body));
  }

  private static void assertError(int status, String message, RawHttp.Reply reply)
      throws IOException {
    assertEquals(status, reply.status(), reply.text());
    assertEquals("application/json", reply.headers().get("content-type"));
    assertEquals(Map.of("error", message), JSON.std.mapFrom(reply.text()));
  }

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
  void otherPaths() throws IOException {
    assertError(
        404,
        "the path must be / or /model or /predict, found /etc/passwd",
        send("GET /etc/passwd", null));
    assertEquals(400, send("GET /../serve.js", null).status());
    assertEquals(404, send("GET /%6dodel", null).status());
    assertEquals(404, send("POST /predict/", RawHttp.bytes(STROKE)).status());
  }

  @ParameterizedTest
  @CsvSource({"GET /predict, POST", "PUT /predict, POST", "POST /, 'GET, HEAD'"})
  void otherMethods(String line, String allowed) throws IOException {
    RawHttp.Reply reply = send(line, null);
    assertError(405, "the method must be " + allowed + ", found " + line.split(" ")[0], reply);
    assertEquals(allowed, reply.headers().get("allow"));
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

  private static int statusFor(int port, String... headers) throws IOException {
    String text = "GET /model HTTP/1.1\r\n" + String.join("\r\n", headers) + "\r\n\r\n";
    return RawHttp.send(port, RawHttp.bytes(text), false, MILLIS).status();
  }

  @Test
  void whoMayAsk() throws IOException {
    int port = server.port();
    for (String good : List.of("127.0.0.1", "localhost", "[::1]", "LOCALHOST")) {
      assertEquals(200, statusFor(port, "Host: " + good + ":" + port), good);
      String origin = "Origin: http://" + good + ":" + port;
      assertEquals(200, statusFor(port, "Host: " + good + ":" + port, origin), good);
    }
    String local = "Host: 127.0.0.1:" + port;
    assertEquals(403, statusFor(port, local, "Origin: http://localhost:" + port), "another page");
    for (String bad :
        List.of(
            "127.0.0.1",
            "127.0.0.1:" + (port - 1),
            "evil.example:" + port,
            "127.0.0.1.evil.example:" + port,
            "192.168.1.7:" + port)) {
      assertEquals(403, statusFor(port, "Host: " + bad), bad);
      String origin = "Origin: http://" + bad;
      assertEquals(403, statusFor(port, "Host: localhost:" + port, origin), bad);
    }
    String own = "Host: 127.0.0.1:" + port;
    for (String origin : List.of("", "http://", "http://:" + port)) {
      assertEquals(403, statusFor(port, own, "Origin: " + origin), origin);
    }
    assertEquals(403, statusFor(port, own, "Origin: null"));
    assertEquals(403, statusFor(port, own, "Origin: https://127.0.0.1:" + port));
    for (String target : List.of("http://evil.example/model", "//evil.example/model")) {
      assertEquals(400, send("GET " + target, null).status(), target);
    }
    assertEquals(200, send("GET http://127.0.0.1:" + port + "/model", null).status());
    assertEquals(403, send("GET ftp://127.0.0.1:" + port + "/model", null).status());
  }

  @Test
  void aWildcardIsReachedByEveryAddressAndNoOtherName() throws IOException {
    try (var everywhere = new Running("0.0.0.0", (body, raw) -> body)) {
      int port = everywhere.port();
      assertEquals("http://0.0.0.0:" + port + "/", everywhere.url());
      for (String good : List.of("192.168.1.7", "[fe80::1]", "0.0.0.0", "localhost")) {
        assertEquals(200, statusFor(port, "Host: " + good + ":" + port), good);
      }
      assertEquals(403, statusFor(port, "Host: evil.example:" + port));
      assertEquals(403, statusFor(port, "Host: 1.2.3.4.example:" + port));
    }
  }

  @Test
  void bodiesThatAreTooLarge() throws IOException {
    int port = server.port();
    int most = PredictionServer.MAX_BODY;
    byte[] largest = new byte[most];
    assertEquals(400, send("POST /predict", largest).status());
    assertError(
        413,
        "the body must have at most 1048576 bytes, found 1048577",
        send("POST /predict", new byte[most + 1]));
    // The server must refuse the request without waiting for the body.
    byte[] announced = RawHttp.request(port, "POST /predict", null, "Content-Length: 9000000000");
    assertEquals(413, RawHttp.send(port, announced, false, MILLIS).status());
    byte[] chunk = RawHttp.bytes("10000\r\n" + "x".repeat(0x10000) + "\r\n");
    var chunked = new ByteArrayOutputStream();
    chunked.writeBytes(RawHttp.request(port, "POST /predict", null, "Transfer-Encoding: chunked"));
    for (int i = 0; i < 16; i++) {
      chunked.writeBytes(chunk);
    }
    chunked.writeBytes(RawHttp.bytes("1\r\nx\r\n0\r\n\r\n"));
    assertError(
        413,
        "the body must have at most 1048576 bytes, found more",
        RawHttp.send(port, chunked.toByteArray(), true, MILLIS));
  }

  @ParameterizedTest
  @CsvSource({
    "ffffffff, 400",
    "80000000, 400",
    "-5, 400",
    "zz, 400",
    "'', 400",
    "5, 400",
    "0, 400"
  })
  void badChunks(String size, int status) throws IOException {
    byte[] head =
        RawHttp.request(server.port(), "POST /predict", null, "Transfer-Encoding: chunked");
    byte[] request = RawHttp.joined(head, RawHttp.bytes(size + "\r\n{}\r\n\r\n"));
    assertEquals(status, RawHttp.send(server.port(), request, true, MILLIS).status());
  }

  @Test
  void aGoodChunkedBody() throws IOException {
    byte[] head =
        RawHttp.request(server.port(), "POST /predict", null, "Transfer-Encoding: chunked");
    int half = STROKE.length() / 2;
    String chunks =
        "%x\r\n%s\r\n%x\r\n%s\r\n0\r\n\r\n"
            .formatted(
                half, STROKE.substring(0, half), STROKE.length() - half, STROKE.substring(half));
    byte[] request = RawHttp.joined(head, RawHttp.bytes(chunks));
    assertArrayEquals(
        predict(STROKE).body(), RawHttp.send(server.port(), request, false, MILLIS).body());
  }

  @ParameterizedTest
  @CsvSource({
    "-1, 400",
    "99999999999999999999, 400",
    "abc, 400",
    "'', 400",
    "'2, 2', 400",
    "200, 400"
  })
  void badLengths(String length, int status) throws IOException {
    byte[] head =
        RawHttp.request(server.port(), "POST /predict", null, "Content-Length: " + length);
    byte[] request = RawHttp.joined(head, RawHttp.bytes(STROKE));
    assertEquals(status, RawHttp.send(server.port(), request, true, MILLIS).status());
  }

  @Test
  void oneRequestAfterAnother() throws IOException {
    try (Socket socket = RawHttp.connect(server.port(), MILLIS)) {
      byte[] request = RawHttp.request(server.port(), "POST /predict", RawHttp.bytes(STROKE));
      socket.getOutputStream().write(RawHttp.joined(request, request, request)); // pipelined
      byte[] expected = predict(STROKE).body();
      for (int i = 0; i < 3; i++) {
        assertArrayEquals(expected, RawHttp.read(socket.getInputStream()).body());
      }
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
        boolean waited = reply.join().text().contains("must come within 1 s, found none");
        assertError(
            503,
            waited
                ? "busy: an answer must come within 1 s, found none"
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
          "internal failure: the server's terminal says which",
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
