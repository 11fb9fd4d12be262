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
import java.net.InetSocketAddress;
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
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import javax.net.ssl.SSLContext;
import mlpcuda.Child;
import mlpcuda.error.BadFileException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests downloads from mirrors that lead elsewhere, take their time or send nonsense. */
class DownloadTest {
  private static final Download.Limits PATIENT =
      new Download.Limits(60_000, 300_000, 600_000, 1000);

  /** A server's identity, for 127.0.0.1 and mirror.invalid, and the trust in it. */
  private static SSLContext tls;

  @TempDir Path folder;

  private final ExecutorService threads = Executors.newCachedThreadPool();
  private MirrorServer plain;
  private MirrorServer secure;

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

  private static HttpGet.Network network(Map<String, String> environment) {
    return new HttpGet.Network(environment, InetAddress::isLoopbackAddress, tls);
  }

  private byte[] get(String mirror, Download.Limits limits, HttpGet.Network network) {
    return new Download(limits, network)
        .bytes(folder, plain.file(IMAGES), List.of(URI.create(mirror)), (file, n, total) -> {});
  }

  private void assertGets(String mirror, HttpGet.Network network) {
    assertArrayEquals(plain.published.get(IMAGES), get(mirror, PATIENT, network));
  }

  /** Checks that the mirror fails, and returns the reason. */
  private String reason(String mirror, Download.Limits limits, HttpGet.Network network)
      throws IOException {
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

  @Test
  void goesFromHttpToHttpsAndNeverBack() throws IOException {
    plain.elsewhere = secure.address("good");
    assertGets(plain.address("elsewhere"), network(Map.of()));
    assertEquals(List.of("good/" + IMAGES), secure.requests);

    Files.delete(folder.resolve(IMAGES));
    plain.requests.clear();
    secure.elsewhere = plain.address("good");
    assertEquals(
        "redirect from https to http at 127.0.0.1",
        reason(secure.address("elsewhere"), PATIENT, network(Map.of())));
    assertEquals(List.of(), plain.requests);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      nullValues = "none",
      value = {
        "https://a.example/d/x | 302 | y | https://a.example/d/y",
        "https://a.example/d/x | 301 | //b.example/y?z=1 | https://b.example/y?z=1",
        "http://a.example/x | 307 | https://b.example/y | https://b.example/y",
        "http://a.example/x | 308 | http://b.example:81/y | http://b.example:81/y",
        "http://a.example/x | 303 | /\u00e9 | http://a.example/%C3%A9",
        "https://a.example/x | 302 | http://a.example/x | redirect from https to http at a.example",
        "https://a.example/x | 302 | HTTP://a.example/x | redirect to HTTP",
        "http://a.example/x | 302 | ftp://a.example/x | redirect to ftp",
        "http://a.example/x | 302 | file:///etc/passwd | redirect to file",
        "http://a.example/x | 302 | http:y | redirect to a bad address",
        "http://a.example/x | 302 | http://a_b/x | redirect to a bad address",
        "http://a.example/x | 302 | http://a.example:65536/x | redirect to a bad address",
        "http://a.example/x | 302 | http://[x/ | redirect to a bad address",
        "http://a.example/x | 302 | none | status 302",
        "http://a.example/x | 304 | /y | status 304",
        "http://a.example/x | 500 | /y | status 500"
      })
  void knowsWhereARedirectLeads(URI at, int status, String location, String expected) {
    String found;
    try {
      found = Download.next(at, status, Optional.ofNullable(location)).toString();
    } catch (IOException e) {
      found = e.getMessage();
    }
    assertEquals(expected, found);
  }

  /** Nothing listens at most of these addresses, and none of them is connected to. */
  @ParameterizedTest
  @CsvSource({
    "127.0.0.1, 127.0.0.1 is not a public address",
    "localhost, localhost (*) is not a public address",
    "[::1], [::1] (0:0:0:0:0:0:0:1) is not a public address",
    "[::ffff:127.0.0.1], [::ffff:127.0.0.1] (127.0.0.1) is not a public address",
    "[::ffff:7f00:1], [::ffff:7f00:1] (127.0.0.1) is not a public address",
    "169.254.169.254, 169.254.169.254 is not a public address",
    "10.0.0.1, 10.0.0.1 is not a public address",
    "0.0.0.0, 0.0.0.0 is not a public address",
    "[fd00::1], [fd00::1] (fd00:0:0:0:0:0:0:1) is not a public address"
  })
  void isNotLedIntoPrivateNetworks(String host, String expected) throws IOException {
    plain.elsewhere = "http://%s:%d/good/".formatted(host, plain.port());
    // The mirror itself is on this machine, so the first address is let through.
    var asked = new AtomicInteger();
    Predicate<InetAddress> strict =
        address -> asked.getAndIncrement() == 0 || PublicAddress.is(address);
    var network = new HttpGet.Network(Map.of(), strict, tls);
    String reason = reason(plain.address("elsewhere"), PATIENT, network);
    // A host may have more than one address of its own, so * stands for the first one.
    assertTrue(
        reason.matches(expected.replaceAll("[\\[\\]().]", "\\\\$0").replace("*", "[0-9a-f.:]+")),
        reason);
    assertEquals(List.of("elsewhere/" + IMAGES), plain.requests);
  }

  @Test
  void usersReachPublicMirrorsAlone() throws IOException {
    String reason = reason(plain.address("good"), PATIENT, HttpGet.Network.standard());
    assertEquals("127.0.0.1 is not a public address", reason);
    assertEquals(List.of(), plain.requests);
  }

  /** The proxy is the test's server, which answers for every host. */
  @ParameterizedTest
  @CsvSource({
    "127.0.0.1, 127.0.0.1 is not a public address",
    "192.168.0.1, 192.168.0.1 is not a public address",
    "[fe80::1], [fe80::1] (fe80:0:0:0:0:0:0:1) is not a public address",
    "localhost, localhost is not the name of a public host",
    "a.LocalHost., a.LocalHost. is not the name of a public host",
    "2130706433, 2130706433 is not the name of a public host",
    "127.1, redirect to a bad address",
    "0177.0.0.1, 0177.0.0.1 is not the name of a public host",
    "0x7f000001, 0x7f000001 is not the name of a public host",
    "127.0.0.1., redirect to a bad address"
  })
  void asksNoProxyForPrivateHosts(String host, String expected) throws IOException {
    var network =
        new HttpGet.Network(
            Map.of("http_proxy", "127.0.0.1:" + plain.port()), PublicAddress::is, tls);
    plain.elsewhere = "http://" + host + "/good/";
    assertEquals(expected, reason("http://mirror.invalid/elsewhere/", PATIENT, network));
    assertEquals(List.of("elsewhere/" + IMAGES), plain.requests);
    assertGets("http://mirror.invalid/good/", network);
  }

  @Test
  void asksAProxyToConnectToAMirrorOfHttps() throws IOException {
    try (ServerSocket proxy = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
      threads.submit(() -> tunnel(proxy));
      String address = "http://127.0.0.1:" + proxy.getLocalPort();
      assertGets("https://mirror.invalid/good/", network(Map.of("https_proxy", address)));
    }
    Files.delete(folder.resolve(IMAGES));
    try (ServerSocket refusing = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
      threads.submit(() -> answer(refusing, "HTTP/1.1 403 no\r\n\r\n"));
      Map<String, String> proxy = Map.of("https_proxy", "127.0.0.1:" + refusing.getLocalPort());
      assertEquals(
          "the proxy answered with status 403",
          reason("https://mirror.invalid/good/", PATIENT, network(proxy)));
    }
  }

  /** Connects one client with the server of https, whatever host it asks for. */
  private Void tunnel(ServerSocket proxy) throws IOException {
    try (Socket client = proxy.accept();
        Socket server = new Socket(InetAddress.getLoopbackAddress(), secure.port())) {
      InputStream in = client.getInputStream();
      assertEquals("CONNECT mirror.invalid:443 HTTP/1.1", readRequest(client).get(0));
      client
          .getOutputStream()
          .write("HTTP/1.1 200 yes\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
      threads.submit(() -> in.transferTo(server.getOutputStream()));
      server.getInputStream().transferTo(client.getOutputStream());
    }
    return null;
  }

  @Test
  void checksTheCertificateAndItsName() throws IOException {
    assertGets(secure.address("good"), network(Map.of()));
    Files.delete(folder.resolve(IMAGES));
    String otherName = secure.address("good").replace("127.0.0.1", "localhost");
    String reason = reason(otherName, PATIENT, network(Map.of()));
    assertTrue(reason.matches("certificate: .*localhost.*"), reason);
    reason = reason(secure.address("good"), PATIENT, MirrorServer.network(Map.of()));
    assertEquals(
        "certificate: unable to find valid certification path to requested target", reason);
  }

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

  private static List<String> readRequest(Socket client) throws IOException {
    var lines = new ArrayList<String>();
    InputStream in = client.getInputStream();
    for (String line = MirrorServer.line(in); !line.isEmpty(); line = MirrorServer.line(in)) {
      lines.add(line);
    }
    return lines;
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
  void leavesNothingRunning() throws Exception {
    assertGets(plain.address("good"), network(Map.of()));
    Files.delete(folder.resolve(IMAGES));
    reason(plain.address("missing"), PATIENT, network(Map.of()));
    reason("http://no-such-host.invalid/", PATIENT, network(Map.of()));
    long end = System.nanoTime() + 120_000_000_000L;
    while (downloadThreads() > 0 && System.nanoTime() - end < 0) {
      Thread.sleep(10);
    }
    assertEquals(0, downloadThreads());
  }

  private static long downloadThreads() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().startsWith("download"))
        .count();
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

  /**
   * Reads a request, answers it and closes the connection when the client has done so; returns the
   * lines of the request.
   */
  private static List<String> answer(ServerSocket server, String answer) throws IOException {
    try (Socket client = server.accept()) {
      List<String> request = readRequest(client);
      client.getOutputStream().write(answer.getBytes(StandardCharsets.ISO_8859_1));
      client.shutdownOutput();
      client.getInputStream().transferTo(OutputStream.nullOutputStream());
      return request;
    }
  }

  /**
   * The test runs in another process, because the property with the file of host names is read at
   * the start.
   */
  @Test
  void connectsToTheAddressThatWasChecked(@TempDir Path tmp) {
    Path hosts = tmp.resolve("hosts");
    List<String> options = List.of("-Djdk.net.hosts.file=" + hosts, "-Dsun.net.inetaddr.ttl=0");
    try (Child child =
        Child.start(Child.java(options, Rebinding.class, hosts, plain.port(), folder))) {
      String output = child.rest();
      assertEquals(0, child.exitCode(), output);
    }
    assertEquals(List.of("good/" + IMAGES), plain.requests);
  }

  /**
   * Downloads from a host whose address changes as soon as it was checked. One of the host's first
   * addresses must not be connected to.
   */
  static final class Rebinding {
    private Rebinding() {}

    public static void main(String[] args) throws IOException {
      Path hosts = Path.of(args[0]);
      Files.writeString(hosts, "127.0.0.2 rebinding.example\n127.0.0.1 rebinding.example\n");
      List<InetSocketAddress> checked =
          HttpGet.checked("rebinding.example", 1, a -> a.getHostAddress().equals("127.0.0.1"));
      if (InetAddress.getAllByName("rebinding.example").length != 2 || checked.size() != 1) {
        throw new IOException("may be reached: " + checked);
      }
      Predicate<InetAddress> rebinding =
          address -> {
            IdxBytes.write(hosts, "127.0.0.9 rebinding.example\n".getBytes());
            return address.getHostAddress().equals("127.0.0.1");
          };
      var network = new HttpGet.Network(Map.of(), rebinding, null);
      URI address = URI.create("http://rebinding.example:" + args[1] + "/good/" + IMAGES);
      long deadline = System.nanoTime() + 600_000_000_000L;
      try (HttpGet answer = new HttpGet(address, network, PATIENT, deadline)) {
        String now = InetAddress.getByName("rebinding.example").getHostAddress();
        if (answer.status() != 200 || !now.equals("127.0.0.9")) {
          throw new IOException("status " + answer.status() + ", the host is now at " + now);
        }
      }
    }
  }
}
