package mlpcuda.data;

import static mlpcuda.data.MirrorServer.IMAGES;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import javax.net.ssl.SSLContext;
import mlpcuda.error.BadFileException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** Mirrors of http and https on 127.0.0.1, and downloads from them. */
abstract class DownloadFixture {
  static final Download.Limits PATIENT = new Download.Limits(60_000, 300_000, 600_000, 1000);

  /** A server's identity, for 127.0.0.1 and mirror.invalid, and the trust in it. */
  static SSLContext tls;

  @TempDir Path folder;

  final ExecutorService threads = Executors.newCachedThreadPool();

  MirrorServer plain;

  MirrorServer secure;

  @BeforeAll
  static void makeCertificate(@TempDir Path tmp) throws IOException, GeneralSecurityException {
    tls = MirrorServer.identity(tmp);
  }

  @BeforeEach
  void serve() throws IOException {
    plain = new MirrorServer();
    secure = new MirrorServer(tls);
  }

  @AfterEach
  void stop() {
    plain.close();
    secure.close();
    threads.shutdownNow();
  }

  static HttpGet.Network network(Map<String, String> environment) {
    return new HttpGet.Network(environment, InetAddress::isLoopbackAddress, tls);
  }

  byte[] get(String mirror, Download.Limits limits, HttpGet.Network network) {
    return new Download(limits, network)
        .bytes(folder, plain.file(IMAGES), List.of(URI.create(mirror)), (file, n, total) -> {});
  }

  void assertGets(String mirror, HttpGet.Network network) {
    assertArrayEquals(plain.published.get(IMAGES), get(mirror, PATIENT, network));
  }

  /** Checks that the mirror fails, and returns the reason. */
  String reason(String mirror, Download.Limits limits, HttpGet.Network network) throws IOException {
    String message =
        assertThrows(BadFileException.class, () -> get(mirror, limits, network)).getMessage();
    assertEquals(1, message.lines().count(), message);
    assertTrue(Files.notExists(folder.resolve(IMAGES)));
    String before = ": " + mirror + " (";
    String after = "); download it by other means, and name its folder as the data set";
    assertTrue(message.contains(before) && message.endsWith(after), message);
    return message.substring(
        message.indexOf(before) + before.length(), message.length() - after.length());
  }

  static List<String> readRequest(Socket client) throws IOException {
    var lines = new ArrayList<String>();
    InputStream in = client.getInputStream();
    for (String line = MirrorServer.line(in); !line.isEmpty(); line = MirrorServer.line(in)) {
      lines.add(line);
    }
    return lines;
  }

  /**
   * Reads a request, answers it and closes the connection when the client has done so; returns the
   * lines of the request.
   */
  static List<String> answer(ServerSocket server, String answer) throws IOException {
    try (Socket client = server.accept()) {
      List<String> request = readRequest(client);
      client.getOutputStream().write(answer.getBytes(StandardCharsets.ISO_8859_1));
      client.shutdownOutput();
      client.getInputStream().transferTo(OutputStream.nullOutputStream());
      return request;
    }
  }
}
