package mlpcuda.data;

import static mlpcuda.data.MirrorServer.IMAGES;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import mlpcuda.Child;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Tests which addresses a download connects to: redirects, proxies, certificates. */
class DownloadTest extends DownloadFixture {
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
