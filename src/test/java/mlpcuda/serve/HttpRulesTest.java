package mlpcuda.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.jr.ob.JSON;
import java.io.IOException;
import java.net.Socket;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Tests that requests which break the rules of HTTP are refused, and end the connection: if two
 * readers of a connection see different ends of a request, one of them can be made to take the rest
 * of it for another request (request smuggling).
 */
@Timeout(value = 10, unit = TimeUnit.MINUTES)
class HttpRulesTest {
  /** A time-out that is far longer than any answer takes. */
  private static final int MILLIS = 5 * 60_000;

  /**
   * The headers of every answer beside Allow and Connection; Server and Date are not among them.
   */
  private static final Set<String> HEADERS =
      Set.of(
          "content-security-policy",
          "x-content-type-options",
          "cross-origin-resource-policy",
          "referrer-policy",
          "cache-control",
          "content-type",
          "content-length",
          "connection");

  private static Running server;

  @BeforeAll
  static void start() throws IOException {
    server = new Running("127.0.0.1", (body, raw) -> body);
  }

  @AfterAll
  static void stop() {
    server.close();
    assertEquals(List.of(), server.failures);
  }

  /** Sends a request, and after it another one, which must not be answered. */
  private static RawHttp.Reply assertEnds(int status, String request) throws IOException {
    byte[] next = RawHttp.request(server.port(), "GET /model", null);
    try (Socket socket = RawHttp.connect(server.port(), MILLIS)) {
      socket.getOutputStream().write(RawHttp.joined(RawHttp.bytes(request), next));
      socket.shutdownOutput();
      RawHttp.Reply reply = RawHttp.read(socket.getInputStream());
      assertEquals(status, reply.status(), reply.text());
      assertEquals("close", reply.headers().get("connection"));
      assertEquals("application/json", reply.headers().get("content-type"));
      assertEquals(Set.of("error"), JSON.std.mapFrom(reply.text()).keySet());
      assertEquals(HEADERS, reply.headers().keySet());
      assertEquals(0, RawHttp.read(socket.getInputStream()).status(), "a second answer");
      return reply;
    }
  }

  private static String post(String headers, String body) {
    return "POST /predict HTTP/1.1\r\nHost: 127.0.0.1:"
        + server.port()
        + "\r\n"
        + headers
        + "\r\n\r\n"
        + body;
  }

  /** Ends of lines are written as slashes. */
  private static String lines(String text) {
    return text.replace("/", "\r\n");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        // RFC 9112, 6.1 and 6.3
        "Transfer-Encoding: chunked/Content-Length: 3",
        "Content-Length: 3/Transfer-Encoding: chunked",
        "Transfer-Encoding: chunked/Content-Length: abc",
        "Content-Length: abc/Transfer-Encoding: chunked",
        "Transfer-Encoding: chunked/Content-Length: -1",
        "Transfer-Encoding: chunked/Content-Length:",
        "Transfer-Encoding: chunked/Transfer-Encoding: chunked",
        "Transfer-Encoding: gzip",
        "Transfer-Encoding: chunked, gzip",
        "Transfer-Encoding: identity",
        "Transfer-Encoding: xchunked",
        "Content-Length: 3/Content-Length: 3",
        "Content-Length: 3/Content-Length: 4",
        "Content-Length: 3, 3",
        "Content-Length: +3",
        "Content-Length: 0x3",
        "Content-Length: 3.0",
        "Content-Length: 9000000000000000000000",
        // 5.1 and 5.2
        "Transfer-Encoding : chunked",
        "Transfer-Encoding:/ chunked",
        "Content-Length: 3/ 3",
        "X: a/\tb/Content-Length: 3",
        " X: a",
        ": a",
        "no colon",
        // 2.2
        "X: a\nContent-Length: 3",
        "X: a\rb",
        "X: a\u0000b",
        "Transfer-Encoding: \u000bchunked",
      })
  void headersThatBreakTheRules(String headers) throws IOException {
    assertEnds(400, post(lines(headers), "0\r\n\r\n"));
  }

  @Test
  void anotherCodingIsNotUnderstood() throws IOException {
    RawHttp.Reply reply = assertEnds(501, post("Transfer-Encoding: gzip, chunked", "0\r\n\r\n"));
    assertTrue(reply.text().contains("must be chunked, found gzip, chunked"), reply.text());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "ffffffff/x/0//",
        "fffffffffffffffff/x/0//",
        "-5/x/0//",
        "zz/x/0//",
        "0x1/x/0//",
        "1 /x/0//",
        "/x/0//",
        "1\nx\n0\n\n",
        "1/xyz/0//",
        "0/no colon//",
        "0/X: a/ b//",
      })
  void chunksThatBreakTheRules(String chunks) throws IOException {
    assertEnds(400, post("Transfer-Encoding: chunked", lines(chunks)));
  }

  @Test
  void http10HasNoChunks() throws IOException {
    String request = post("Transfer-Encoding: chunked\r\nConnection: keep-alive", "0\r\n\r\n");
    assertEnds(400, request.replace("HTTP/1.1", "HTTP/1.0"));
  }

  @ParameterizedTest
  @CsvSource({
    "GET / HTTP/1.1|Accept: x, 400", // no Host
    "GET / HTTP/1.1|Host:, 400",
    "GET / HTTP/1.1|Host: :80, 400",
    "GET / HTTP/1.1|Host: a@127.0.0.1, 400",
    "GET / HTTP/1.1|Host: 127.0.0.1/x, 400",
    "GET / HTTP/1.1|Host: 127.0.0.1|Host: 127.0.0.1, 400",
    "GET / HTTP/1.2|Host: 127.0.0.1, 505",
    "GET / HTTP/2.0|Host: 127.0.0.1, 505",
    "GET /, 505",
    "PRI * HTTP/2.0, 505",
    "GET / HTTP/1.1|Host: 127.0.0.1|Expect: more, 417",
    "GET /%zz HTTP/1.1|Host: 127.0.0.1, 400",
    "GET /%2e%2e/model HTTP/1.1|Host: 127.0.0.1, 400",
    "GET /model#x HTTP/1.1|Host: 127.0.0.1, 400",
    "GET http://a@127.0.0.1/ HTTP/1.1|Host: 127.0.0.1, 400",
    "NO(METHOD / HTTP/1.1|Host: 127.0.0.1, 400"
  })
  void otherLinesThatBreakTheRules(String request, int status) throws IOException {
    assertEnds(status, request.replace("|", "\r\n") + "\r\n\r\n");
  }

  @Test
  void linesThatAreTooMany() throws IOException {
    assertEnds(431, post("X: " + "y".repeat(PredictionServer.MAX_HEADER_BYTES), ""));
    int most = ClientConnection.MAX_HEADERS - 2; // with Host and the last one
    assertEnds(431, post("X: y\r\n".repeat(most) + "X: y\r\nX: y", ""));
    assertEnds(414, "GET /" + "x".repeat(PredictionServer.MAX_HEADER_BYTES) + " HTTP/1.1\r\n\r\n");
    String trailers = "0\r\n" + "X: y\r\n".repeat(ClientConnection.MAX_HEADERS + 1) + "\r\n";
    assertEnds(400, post("Transfer-Encoding: chunked", trailers));
    byte[] request = RawHttp.bytes(post("X: y\r\n".repeat(most) + "Content-Length: 0", ""));
    assertEquals(200, RawHttp.send(server.port(), request, false, MILLIS).status());
  }

  @Test
  void whoExpects100IsToldToGoOnOrNot() throws IOException {
    int port = server.port();
    try (Socket socket = RawHttp.connect(port, MILLIS)) {
      var out = socket.getOutputStream();
      out.write(RawHttp.bytes(post("Content-Length: 3\r\nExpect: 100-continue", "")));
      byte[] interim = socket.getInputStream().readNBytes("HTTP/1.1 100 Continue\r\n\r\n".length());
      assertEquals("HTTP/1.1 100 Continue\r\n\r\n", new String(interim));
      out.write(RawHttp.bytes("abc"));
      assertEquals("abc", RawHttp.read(socket.getInputStream()).text());
    }
    byte[] large =
        RawHttp.request(
            port, "POST /predict", null, "Content-Length: 9000000", "Expect: 100-continue");
    try (Socket socket = RawHttp.connect(port, MILLIS)) {
      socket.getOutputStream().write(large);
      String answer = new String(socket.getInputStream().readAllBytes());
      assertTrue(answer.startsWith("HTTP/1.1 413 "), answer);
      assertFalse(answer.contains("100 Continue"), answer);
    }
  }

  @Test
  void http10IsAnsweredAndEnded() throws IOException {
    String host = "Host: 127.0.0.1:" + server.port();
    try (Socket socket = RawHttp.connect(server.port(), MILLIS)) {
      socket.getOutputStream().write(RawHttp.bytes("GET /model HTTP/1.0\r\n" + host + "\r\n\r\n"));
      String answer = new String(socket.getInputStream().readAllBytes());
      assertTrue(answer.startsWith("HTTP/1.1 200 ") && answer.endsWith("\r\n\r\n{}"), answer);
    }
  }

  /** A client that sends all of a large body before it reads must get to the answer. */
  @Test
  void aRefusedBodyIsReadToItsEnd() throws IOException {
    byte[] body = new byte[20 << 20];
    for (String line : List.of("POST /predict", "PUT /model", "POST /elsewhere")) {
      try (Socket socket = RawHttp.connect(server.port(), MILLIS)) {
        socket.getOutputStream().write(RawHttp.request(server.port(), line, body));
        int status = RawHttp.read(socket.getInputStream()).status();
        assertTrue(Set.of(404, 405, 413).contains(status), line + ": " + status);
      }
    }
  }
}
