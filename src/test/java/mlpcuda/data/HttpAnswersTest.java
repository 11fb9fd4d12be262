package mlpcuda.data;

import static mlpcuda.data.MirrorServer.IMAGES;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests downloads from mirrors that take their time or send malformed answers. */
class HttpAnswersTest extends DownloadFixture {
  /** Each of these answers goes on for a minute unless it is stopped, and never pauses for long. */
  @ParameterizedTest
  @ValueSource(strings = {"body", "head", "TLS"})
  void endsADribblingMirror(String what) throws Exception {
    // The first bytes of TLS announce a long record of the handshake.
    byte[] start =
        switch (what) {
          case "body" -> "HTTP/1.1 200 yes\r\n\r\n".getBytes(StandardCharsets.US_ASCII);
          case "head" -> "HTTP/1.1 200 ".getBytes(StandardCharsets.US_ASCII);
          default -> new byte[] {0x16, 3, 3, 0x3e, 0};
        };
    String scheme = what.equals("TLS") ? "https" : "http";
    var hurried = new Download.Limits(60_000, 60_000, 1000, 1000);
    try (ServerSocket server = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
      Future<Boolean> cutShort = threads.submit(() -> isCutShort(server, start));
      String mirror = "%s://127.0.0.1:%d/".formatted(scheme, server.getLocalPort());
      assertEquals("not finished after 1 s", reason(mirror, hurried, network(Map.of())));
      assertTrue(cutShort.get());
    }
  }

  /** Sends bytes slowly, for a minute; returns whether the client closed the connection before. */
  private static boolean isCutShort(ServerSocket server, byte[] start)
      throws IOException, InterruptedException {
    try (Socket client = server.accept()) {
      client.getOutputStream().write(start);
      for (int i = 0; i < 600; i++) {
        try {
          client.getOutputStream().write('x');
        } catch (IOException e) {
          return true;
        }
        Thread.sleep(100);
      }
    }
    return false;
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "hello\\n | malformed",
        "HTTP/2 200\\n | malformed",
        "HTTP/1.1 200 yes\\n | malformed",
        "HTTP/1.1 200 yes\\nContent-Length: 3\\ncontent-length: 4\\n\\nabcd | malformed",
        "HTTP/1.1 200 yes\\nContent-Length: 3\\nTransfer-Encoding: chunked\\n\\n0\\n\\n | malformed",
        "HTTP/1.1 200 yes\\nContent-Length: -3\\n\\n | malformed",
        "HTTP/1.1 200 yes\\nContent-Length: 99999999999999999999\\n\\n | malformed",
        "HTTP/1.1 200 yes\\nContent-Length: 1001\\n\\n | 1001 bytes, more than 1000",
        "HTTP/1.1 200 yes\\nContent-Length: 3\\n\\nab | malformed",
        "HTTP/1.1 200 yes\\nTransfer-Encoding: chunked, gzip\\n\\n0\\n\\n | malformed",
        "HTTP/1.1 200 yes\\nTransfer-Encoding: chunked\\n\\n-1\\n | malformed",
        "HTTP/1.1 200 yes\\nTransfer-Encoding: chunked\\n\\nffffffffffffffffff\\n | malformed",
        "HTTP/1.1 200 yes\\nTransfer-Encoding: chunked\\n\\n3\\nabcd\\n | malformed",
        "HTTP/1.1 200 yes\\nTransfer-Encoding: chunked\\n\\n4\\nabc | malformed",
        "HTTP/1.1 100 wait\\n\\nHTTP/1.1 404 no\\n\\n | status 404",
        "HTTP/1.1 401 no\\n\\n | status 401",
        "HTTP/1.1 407 no\\n\\n | status 407"
      })
  void saysWhatIsWrongWithAnAnswer(String answer, String expected) throws IOException {
    String reason =
        expected.equals("malformed") ? "the answer is cut short or malformed" : expected;
    assertEquals(reason, reasonOf(answer.replace("\\n", "\r\n")));
  }

  /** Each of these answers goes on for long and without a pause unless it is stopped. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "H | H | the answer is cut short or malformed",
        "HTTP/1.1 200 yes\\n | a: b\\n | the answer is cut short or malformed",
        "HTTP/1.1 100 wait\\n\\n | HTTP/1.1 100 wait\\n\\n | status 100",
        "HTTP/1.1 102 wait\\n\\n | HTTP/1.1 102 wait\\n\\n | status 102",
        "HTTP/1.1 103 hints\\n\\n | HTTP/1.1 103 hints\\n\\n | status 103",
        "HTTP/1.1 401 no\\nWWW-Authenticate: Basic\\n\\n | x | status 401",
        "HTTP/1.1 404 no\\n\\n | x | status 404",
        "HTTP/1.1 407 no\\nProxy-Authenticate: Basic\\n\\n | x | status 407",
        "HTTP/1.1 200 yes\\nTransfer-Encoding: chunked\\n\\n1; | x | the answer is cut short or"
            + " malformed",
        "HTTP/1.1 200 yes\\nTransfer-Encoding: chunked\\n\\n0\\n | a: b\\n | the answer is cut short"
            + " or malformed"
      })
  void endsAnEndlessHead(String start, String more, String expected) throws Exception {
    byte[] first = start.replace("\\n", "\r\n").getBytes(StandardCharsets.US_ASCII);
    byte[] then = more.replace("\\n", "\r\n").repeat(1000).getBytes(StandardCharsets.US_ASCII);
    try (ServerSocket server = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
      Future<Boolean> cutShort = threads.submit(() -> isRefused(server, first, then));
      String mirror = "http://127.0.0.1:" + server.getLocalPort() + "/";
      assertEquals(expected, reason(mirror, PATIENT, network(Map.of())));
      assertTrue(cutShort.get());
    }
  }

  /** Sends 256 MB after a request; returns whether the client closed the connection before. */
  private static boolean isRefused(ServerSocket server, byte[] start, byte[] more)
      throws IOException {
    try (Socket client = server.accept()) {
      readRequest(client);
      client.getOutputStream().write(start);
      for (long sent = 0; sent < 256_000_000; sent += more.length) {
        try {
          client.getOutputStream().write(more);
        } catch (IOException e) {
          return true;
        }
      }
    }
    return false;
  }

  @Test
  void asksForTheAddressAsItIsAndForNothingElse() throws Exception {
    try (ServerSocket server = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
      Future<List<String>> request =
          threads.submit(() -> answer(server, "HTTP/1.1 404 no\r\n\r\n"));
      int port = server.getLocalPort();
      String target = "/a%2Fb//c;x=1?X=%2f+%20b&&c==&d&f=";
      plain.elsewhere = "http://us%65r:secret@127.0.0.1:" + port + target;
      assertEquals("status 404", reason(plain.address("elsewhere"), PATIENT, network(Map.of())));
      List<String> lines = request.get();
      assertEquals("GET " + target + IMAGES + " HTTP/1.1", lines.get(0));
      assertEquals(
          Set.of(
              "Host: 127.0.0.1:" + port,
              "User-Agent: mlp-cuda",
              "Accept: */*",
              "Accept-Encoding: identity",
              "Connection: close"),
          Set.copyOf(lines.subList(1, lines.size())));
    }
  }

  @Test
  void readsABodyWithoutALengthOrInChunks() throws IOException {
    byte[] file = plain.published.get(IMAGES);
    String body = new String(file, StandardCharsets.ISO_8859_1);
    int half = file.length / 2;
    String chunks =
        "%x ;name=value\r\n%s\r\n%X\r\n%s\r\n0\r\n\r\n"
            .formatted(half, body.substring(0, half), file.length - half, body.substring(half));
    for (String answer :
        List.of(
            "HTTP/1.0 200 yes\n\n" + body,
            "HTTP/1.1 200\r\n\r\n" + body,
            "HTTP/1.1 200 yes\r\nContent-Encoding: gzip\r\n\r\n" + body,
            "HTTP/1.1 200 yes\r\nContent-Length: " + file.length + "\r\n\r\n" + body + "more",
            "HTTP/1.1 200 yes\r\ntransfer-encoding: Chunked\r\n\r\n" + chunks)) {
      try (ServerSocket server = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
        threads.submit(() -> answer(server, answer));
        assertGets("http://127.0.0.1:" + server.getLocalPort() + "/", network(Map.of()));
      }
      Files.delete(folder.resolve(IMAGES));
    }
  }

  private String reasonOf(String answer) throws IOException {
    try (ServerSocket server = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
      threads.submit(() -> answer(server, answer));
      String mirror = "http://127.0.0.1:" + server.getLocalPort() + "/";
      return reason(mirror, PATIENT, network(Map.of()));
    }
  }
}
