package mlpcuda.serve;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.Socket;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Tests who may send which requests: paths, methods, host names, origins, lengths of bodies. */
class RequestLimitsTest extends ServedNetwork {
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
}
