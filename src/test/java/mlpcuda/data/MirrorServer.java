package mlpcuda.data;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.Stream;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import mlpcuda.Child;
import mlpcuda.data.PublishedDataset.RemoteFile;

/** Mirrors of a small data set on 127.0.0.1, which answer well or badly as their addresses say. */
final class MirrorServer implements AutoCloseable {
  static final String IMAGES = "train-images-idx3-ubyte.gz";
  private static final List<String> NAMES =
      List.of(
          IMAGES,
          "train-labels-idx1-ubyte.gz",
          "t10k-images-idx3-ubyte.gz",
          "t10k-labels-idx1-ubyte.gz");

  /** The files of the data set. */
  final Map<String, byte[]> published = new TreeMap<>();

  /** The requests so far: the mirror and the file, joined by a slash. */
  final List<String> requests = Collections.synchronizedList(new ArrayList<>());

  private final CountDownLatch ended = new CountDownLatch(1);
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final HttpServer server;

  /** The address that the mirror {@code elsewhere} redirects to, without the file's name. */
  volatile String elsewhere;

  /** A server of http. */
  MirrorServer() throws IOException {
    this(HttpServer.create(here(), 0));
  }

  /** A server of https. */
  MirrorServer(SSLContext identity) throws IOException {
    this(https(identity));
  }

  private MirrorServer(HttpServer server) {
    this.server = server;
    IdxBytes.small().forEach((name, file) -> published.put(name + ".gz", IdxBytes.gzip(file)));
    server.createContext("/", this::answer);
    server.setExecutor(threads);
    server.start();
  }

  private static InetSocketAddress here() {
    return new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
  }

  private static HttpServer https(SSLContext identity) throws IOException {
    HttpsServer server = HttpsServer.create(here(), 0);
    server.setHttpsConfigurator(new HttpsConfigurator(identity));
    return server;
  }

  /** Makes a certificate for 127.0.0.1 and mirror.invalid, and trusts it. */
  static SSLContext identity(Path tmp) throws IOException, GeneralSecurityException {
    Path store = tmp.resolve("identity.p12");
    String keytool = Path.of(System.getProperty("java.home"), "bin", "keytool").toString();
    String names = "san=ip:127.0.0.1,dns:mirror.invalid";
    List<String> command =
        List.of(
            keytool,
            "-genkeypair",
            "-alias",
            "mirror",
            "-keyalg",
            "EC",
            "-dname",
            "CN=mirror",
            "-ext",
            names,
            "-keystore",
            store.toString(),
            "-storepass",
            "secret");
    try (Child child = Child.start(command)) {
      String output = child.rest();
      assertEquals(0, child.exitCode(), output);
    }
    KeyStore identity = KeyStore.getInstance(store.toFile(), "secret".toCharArray());
    var keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    keys.init(identity, "secret".toCharArray());
    var trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    trust.init(identity);
    SSLContext tls = SSLContext.getInstance("TLS");
    tls.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
    return tls;
  }

  /** The network as a download in a test may use it: this machine alone. */
  static HttpGet.Network network(Map<String, String> environment) {
    SSLContext tls = HttpGet.Network.standard().tls();
    return new HttpGet.Network(environment, InetAddress::isLoopbackAddress, tls);
  }

  /** Reads a line of HTTP without its end, and no byte after it. */
  static String line(InputStream in) throws IOException {
    var line = new StringBuilder();
    for (int c = in.read(); c != '\n'; c = in.read()) {
      if (c < 0) {
        throw new EOFException("the client is gone");
      }
      line.append((char) c);
    }
    return line.toString().strip();
  }

  int port() {
    return server.getAddress().getPort();
  }

  /** Returns the address of a mirror that answers in the way that {@code mirror} names. */
  String address(String mirror) {
    String scheme = server instanceof HttpsServer ? "https" : "http";
    return "%s://127.0.0.1:%d/%s/".formatted(scheme, port(), mirror);
  }

  /** Returns the data set with the given mirrors. */
  PublishedDataset dataset(String... mirrors) {
    List<RemoteFile> files = NAMES.stream().map(this::file).toList();
    return new PublishedDataset(
        "small", "Small", 3, Stream.of(mirrors).map(URI::create).toList(), files);
  }

  /** A file with its right hashes. */
  RemoteFile file(String name) {
    byte[] content = published.get(name);
    return new RemoteFile(name, Download.hash("MD5", content), Download.hash("SHA-256", content));
  }

  /** Answers a request as the first folder of its address says. */
  private void answer(HttpExchange exchange) throws IOException {
    String[] path = exchange.getRequestURI().getPath().split("/");
    requests.add(path[1] + "/" + path[2]);
    byte[] file = published.get(path[2]);
    try (exchange) {
      switch (path[1]) {
        case "good" -> send(exchange, file, file.length);
        case "chunked" -> send(exchange, file, 0);
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
        case "moved" -> redirect(exchange, "/good/" + path[2]);
        case "circle" -> redirect(exchange, "/circle/" + path[2]);
        case "elsewhere" -> redirect(exchange, elsewhere + path[2]);
        default -> exchange.sendResponseHeaders(404, -1);
      }
    }
  }

  private static void redirect(HttpExchange exchange, String to) throws IOException {
    exchange.getResponseHeaders().add("Location", to);
    exchange.sendResponseHeaders(302, -1);
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

  @Override
  public void close() {
    ended.countDown();
    server.stop(0);
    threads.shutdownNow();
  }
}
