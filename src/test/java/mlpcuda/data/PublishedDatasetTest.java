package mlpcuda.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;
import mlpcuda.data.PublishedDataset.Progress;
import mlpcuda.data.PublishedDataset.RemoteFile;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PublishedDatasetTest {
  private static final Progress SILENT = (file, bytes, total) -> {};

  /** A download that takes small files alone, from mirrors that answer at all. */
  private static final Download SMALL = new Download(60_000, 300_000, 1000, Map.of());

  /** A download that waits for an answer only a moment, for a mirror that never gives one. */
  private static final Download HASTY = new Download(60_000, 200, 1000, Map.of());

  private static final String IMAGES = "train-images-idx3-ubyte.gz";

  @TempDir Path cache;

  private final Map<String, byte[]> published = new TreeMap<>();
  private final List<String> requests = Collections.synchronizedList(new ArrayList<>());
  private final CountDownLatch ended = new CountDownLatch(1);
  private HttpServer server;

  @BeforeEach
  void serve() throws IOException {
    IdxBytes.small().forEach((name, file) -> published.put(name + ".gz", IdxBytes.gzip(file)));
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext("/", this::answer);
    server.start();
  }

  @AfterEach
  void stop() {
    ended.countDown();
    server.stop(0);
  }

  /** Answers a request as the first folder of its address says. */
  private void answer(HttpExchange exchange) throws IOException {
    String[] path = exchange.getRequestURI().getPath().split("/");
    requests.add(path[1] + "/" + path[2]);
    byte[] file = published.get(path[2]);
    try (exchange) {
      switch (path[1]) {
        case "good" -> send(exchange, file, file.length);
        case "damaged" -> {
          byte[] damaged = file.clone();
          damaged[damaged.length / 2] ^= 1;
          send(exchange, damaged, damaged.length);
        }
        case "long" -> send(exchange, new byte[1001], 1001);
        // The answer is chunked, and so no length is announced.
        case "endless" -> send(exchange, new byte[200_000], 0);
        case "cut" -> send(exchange, new byte[20], file.length);
        case "silent" -> awaitEnd();
        case "moved" -> {
          exchange.getResponseHeaders().add("Location", "/good/" + path[2]);
          exchange.sendResponseHeaders(302, -1);
        }
        case "circle" -> {
          exchange.getResponseHeaders().add("Location", "/circle/" + path[2]);
          exchange.sendResponseHeaders(302, -1);
        }
        default -> exchange.sendResponseHeaders(404, -1);
      }
    }
  }

  private static void send(HttpExchange exchange, byte[] body, long length) throws IOException {
    exchange.sendResponseHeaders(200, length);
    exchange.getResponseBody().write(body);
    exchange.getResponseBody().flush(); // otherwise JDK 25 drops what a handler leaves unfinished
  }

  private void awaitEnd() {
    try {
      ended.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private String address(String mirror) {
    return "http://127.0.0.1:" + server.getAddress().getPort() + "/" + mirror + "/";
  }

  /** A mirror on a port at which nobody listens. */
  private static String dead() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return "http://127.0.0.1:" + socket.getLocalPort() + "/";
    }
  }

  /** The test's server is the proxy: it is asked for an address of a host that does not exist. */
  @Test
  void asksTheProxyThatTheEnvironmentNames() throws IOException {
    String proxy = "127.0.0.1:" + server.getAddress().getPort();
    var through =
        new Download(60_000, 300_000, 1000, Map.of("http_proxy", proxy, "no_proxy", ".example"));
    Path fetched = dataset("http://mirror.invalid/good/").fetch(cache, SILENT, through);
    assertEquals(published.size(), requests.size());
    for (Map.Entry<String, byte[]> file : published.entrySet()) {
      assertArrayEquals(file.getValue(), Files.readAllBytes(fetched.resolve(file.getKey())));
    }
  }

  @Test
  void proxiesByTheConventionOfCurl() throws IOException {
    URI address = URI.create("https://data.example.org/x");
    Proxy proxy = HttpProxy.of(address, Map.of("HTTPS_PROXY", "http://proxy.example:3128"));
    assertEquals("proxy.example", ((InetSocketAddress) proxy.address()).getHostString());
    assertEquals(3128, ((InetSocketAddress) proxy.address()).getPort());
    for (String none : List.of("*", "data.example.org", "x.org, .example.org", "example.org")) {
      Map<String, String> environment = Map.of("https_proxy", "proxy:1", "no_proxy", none);
      assertEquals(Proxy.NO_PROXY, HttpProxy.of(address, environment), none);
    }
    assertEquals(Proxy.NO_PROXY, HttpProxy.of(address, Map.of("http_proxy", "proxy:1")));
    for (String bad : List.of("socks5://proxy:1", "http://name:secret@proxy:1", "http://")) {
      String message =
          assertThrows(IOException.class, () -> HttpProxy.of(address, Map.of("https_proxy", bad)))
              .getMessage();
      assertTrue(message.startsWith("https_proxy "), message);
      assertFalse(message.contains("secret"), message);
    }
  }

  private PublishedDataset dataset(String... mirrors) {
    List<RemoteFile> files =
        published.entrySet().stream().map(e -> new RemoteFile(e.getKey(), md5(e))).toList();
    return new PublishedDataset(
        "small", "Small", 3, Stream.of(mirrors).map(URI::create).toList(), files);
  }

  private static String md5(Map.Entry<String, byte[]> file) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("MD5").digest(file.getValue()));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }

  private List<String> cached() throws IOException {
    try (Stream<Path> files = Files.list(cache.resolve("datasets/small"))) {
      return files.map(f -> f.getFileName().toString()).sorted().toList();
    }
  }

  @Test
  void goesOnToTheThirdMirror() throws IOException {
    PublishedDataset small = dataset(dead(), address("damaged"), address("good"));
    List<String> heard = new ArrayList<>();
    Path folder =
        small.fetch(cache, (file, bytes, total) -> heard.add(file + " " + bytes + "/" + total));
    assertEquals(cache.resolve("datasets/small"), folder);
    assertEquals(List.copyOf(published.keySet()), cached());
    for (String name : published.keySet()) {
      assertArrayEquals(published.get(name), Files.readAllBytes(folder.resolve(name)));
    }
    assertEquals(8, requests.size());
    int size = published.get(IMAGES).length;
    assertTrue(heard.contains(IMAGES + " " + size + "/" + size), heard::toString);

    requests.clear();
    Dataset data = small.load(cache, SILENT);
    assertEquals(List.of(), requests);
    assertEquals("Small", data.name());
    assertEquals(5, data.train().size());
  }

  @Test
  void followsRedirects() throws IOException {
    dataset(address("moved")).fetch(cache, SILENT, SMALL);
    assertEquals(List.copyOf(published.keySet()), cached());
  }

  @Test
  void replacesADamagedFile() throws IOException {
    PublishedDataset small = dataset(address("good"));
    Path file = small.fetch(cache, SILENT).resolve(IMAGES);
    requests.clear();
    Files.write(file, new byte[] {1, 2, 3});
    small.fetch(cache, SILENT);
    assertArrayEquals(published.get(IMAGES), Files.readAllBytes(file));
    assertEquals(List.of("good/" + IMAGES), requests);
    assertEquals(4, cached().size());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "missing | status 404",
        "long | 1001 bytes, more than 1000",
        "endless | * bytes, more than 1000",
        "cut | ended after 20 of * bytes",
        "silent | Read timed out",
        "circle | more than 5 redirects",
        "damaged | MD5 *"
      })
  void saysWhyAMirrorFails(String mirror, String reason) throws IOException {
    PublishedDataset small = dataset(address(mirror));
    RemoteFile first = small.files().get(0);
    Download download = mirror.equals("silent") ? HASTY : SMALL;
    String message =
        assertThrows(BadFileException.class, () -> small.fetch(cache, SILENT, download))
            .getMessage();
    String expected =
        "%s: no mirror gives it with MD5 %s: %s (%s); fetch it by other means and use --data DIR"
            .formatted(first.name(), first.md5(), address(mirror), reason.replace("*", "\\w+"));
    assertTrue(message.matches(expected.replaceAll("[().]", "\\\\$0")), message + "\n" + expected);
    assertEquals(List.of(), cached());
  }

  @Test
  void namesEveryMirror() throws IOException {
    String dead = dead();
    PublishedDataset small = dataset(dead, address("missing"), "http://no-such-host.invalid/");
    RemoteFile first = small.files().get(0);
    String message =
        assertThrows(BadFileException.class, () -> small.fetch(cache, SILENT)).getMessage();
    assertEquals(1, message.lines().count());
    assertTrue(
        message.startsWith(
            first.name()
                + ": no mirror gives it with MD5 "
                + first.md5()
                + ": "
                + dead
                + " (Connection refused"),
        message);
    assertTrue(message.contains("; " + address("missing") + " (status 404); "), message);
    assertTrue(message.contains("; http://no-such-host.invalid/ ("), message);
    assertTrue(message.endsWith("; fetch it by other means and use --data DIR"), message);
  }

  @Test
  void refusesAFolderThatCannotBeMade() throws IOException {
    Files.write(cache.resolve("datasets"), new byte[1]);
    PublishedDataset small = dataset(address("good"));
    String message =
        assertThrows(BadFileException.class, () -> small.fetch(cache, SILENT)).getMessage();
    assertTrue(message.startsWith(cache.resolve("datasets/small") + ": cannot be made: "), message);
  }

  @Test
  void knowsThreeDataSets() {
    for (PublishedDataset dataset : PublishedDataset.ALL) {
      assertEquals(dataset, PublishedDataset.named(dataset.name()));
      assertEquals(4, dataset.files().size());
      assertEquals(10, dataset.classes());
      for (URI mirror : dataset.mirrors()) {
        assertTrue(mirror.toString().endsWith("/"), mirror::toString);
      }
    }
    assertEquals(
        "data set must be one of mnist, fashion-mnist, kmnist, found cifar",
        assertThrows(IllegalArgumentException.class, () -> PublishedDataset.named("cifar"))
            .getMessage());
  }
}
