package mlpcuda.serve;

import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/**
 * Serves a page to draw on, and {@code POST /predict}, over HTTP. It does not trust the bytes, how
 * fast they come, how many there are, and who makes the browser send them.
 */
public final class PredictionServer implements AutoCloseable {
  /** The largest body, in bytes. */
  static final int MAX_BODY = 1 << 20;

  /** The threads that read requests and write answers; each has at most a body in memory. */
  static final int THREADS = 16;

  /** The connections with a request that may wait for a thread; further ones are closed. */
  static final int WAITING = 64;

  /** The open connections; further ones are closed. */
  static final int CONNECTIONS = 128;

  /**
   * The longest that a request takes to arrive, that a picture waits for its answer, and that an
   * answer takes to be fetched. Tests raise it: a machine with other work may take longer.
   */
  static final int SECONDS = Integer.getInteger("mlpcuda.serve.seconds", 5);

  /** The most bytes of a request's lines before its body. */
  static final int MAX_HEADER_BYTES = 16 << 10;

  /** The bytes of a refused body that are still read, so that the client gets to the answer. */
  private static final int DRAINED = 32 << 20;

  private static final String JSON = "application/json";

  static {
    // The JDK's server reads these once, when its classes are loaded. By default it waits for ever.
    Map.of(
            "sun.net.httpserver.maxReqTime",
            SECONDS,
            "sun.net.httpserver.maxRspTime",
            2 * SECONDS,
            "sun.net.httpserver.timerMillis",
            250,
            "sun.net.httpserver.clockTick",
            1000, // ms between looks for idle connections
            "sun.net.httpserver.maxReqHeaders",
            100,
            "sun.net.httpserver.maxReqHeaderSize",
            MAX_HEADER_BYTES,
            "sun.net.httpserver.drainAmount",
            DRAINED,
            "jdk.httpserver.maxConnections",
            CONNECTIONS,
            // An answer is two writes, and the second would wait for the first's acknowledgement.
            "sun.net.httpserver.nodelay",
            true)
        .forEach(
            (name, value) -> {
              if (System.getProperty(name) == null) {
                System.setProperty(name, value.toString());
              }
            });
  }

  /** The resources of the page, by path. */
  private static final Map<String, Resource> RESOURCES =
      Map.of(
          "/", Resource.of("index.html", "text/html; charset=utf-8"),
          "/page.css", Resource.of("/mlpcuda/report/page.css", "text/css; charset=utf-8"),
          "/serve.css", Resource.of("serve.css", "text/css; charset=utf-8"),
          "/serve.js", Resource.of("serve.js", "text/javascript; charset=utf-8"),
          "/icon.svg", Resource.of("icon.svg", "image/svg+xml"));

  private record Resource(String type, byte[] bytes) {
    static Resource of(String name, String type) {
      try (InputStream in = PredictionServer.class.getResourceAsStream(name)) {
        return new Resource(type, in.readAllBytes());
      } catch (IOException e) {
        throw new AssertionError(name + " must be in the jar", e);
      }
    }
  }

  private final HttpServer server;
  private final ThreadPoolExecutor threads;
  private final Hosts hosts;
  private final String url;
  private final Handover handover;
  private final Consumer<Throwable> failed;
  private volatile byte[] description;

  private PredictionServer(
      HttpServer server, String host, int answerSeconds, Consumer<Throwable> failed) {
    this.server = server;
    this.handover = new Handover(answerSeconds);
    this.failed = failed;
    InetSocketAddress address = server.getAddress();
    this.hosts = new Hosts(host, address.getAddress(), address.getPort());
    this.url = "http://%s:%d/".formatted(Hosts.inUrl(host), address.getPort());
    var count = new AtomicInteger();
    this.threads =
        new ThreadPoolExecutor(
            THREADS,
            THREADS,
            SECONDS,
            TimeUnit.SECONDS,
            new ArrayBlockingQueue<>(WAITING),
            task -> {
              var thread = new Thread(task, "serve-" + count.incrementAndGet());
              thread.setDaemon(true);
              return thread;
            });
    threads.allowCoreThreadTimeOut(true);
    server.setExecutor(threads);
    server.createContext("/", this::handle);
  }

  /**
   * Takes a port; requests wait until {@link #run}.
   *
   * @param host the name or address to listen on, which requests may name as well
   * @param address the address that the name means
   * @param port the port; 0: a free one
   * @param failed gets failures that are bugs
   * @throws IOException if the port cannot be had
   */
  public static PredictionServer open(
      String host, InetAddress address, int port, Consumer<Throwable> failed) throws IOException {
    return open(host, address, port, SECONDS, failed);
  }

  /**
   * {@link #open} with another limit: pictures wait for their answers {@code answerSeconds} at
   * most.
   */
  static PredictionServer open(
      String host, InetAddress address, int port, int answerSeconds, Consumer<Throwable> failed)
      throws IOException {
    HttpServer server = HttpServer.create(new InetSocketAddress(address, port), CONNECTIONS);
    return new PredictionServer(server, host, answerSeconds, failed);
  }

  /** The address of the page. */
  public String url() {
    return url;
  }

  /**
   * Answers requests until it is told to stop. The calling thread runs the network.
   *
   * @throws mlpcuda.compute.DeviceException if the device fails
   */
  public void run(Recogniser recogniser, BooleanSupplier stopping) {
    run(recogniser.description(), recogniser::answer, stopping);
  }

  /** {@link #run} with any function that answers, and with its description as JSON. */
  void run(byte[] description, Handover.Answering answers, BooleanSupplier stopping) {
    this.description = description;
    server.start();
    handover.answer(answers, stopping, failed);
  }

  /** Closes all connections and frees the port. */
  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
  }

  private void handle(HttpExchange exchange) throws IOException {
    try {
      answer(exchange);
    } catch (RefusedException e) {
      send(exchange, e.status(), JSON, Recogniser.bytes(Map.of("error", e.getMessage())));
    } catch (RuntimeException | Error e) {
      failed.accept(e);
      String error = "internal failure: the server's terminal says which";
      send(exchange, 500, JSON, Recogniser.bytes(Map.of("error", error)));
    }
  }

  private void answer(HttpExchange exchange) throws IOException, RefusedException {
    URI uri = exchange.getRequestURI();
    checkAsked(uri, exchange.getRequestHeaders());
    String path = uri.getRawPath();
    if (path.equals("/predict")) {
      checkMethod(exchange, "POST");
      boolean raw = raw(uri.getRawQuery());
      send(exchange, 200, JSON, handover.ask(body(exchange), raw));
    } else if (path.equals("/model")) {
      checkMethod(exchange, "GET", "HEAD");
      send(exchange, 200, JSON, description);
    } else if (RESOURCES.containsKey(path)) {
      checkMethod(exchange, "GET", "HEAD");
      Resource resource = RESOURCES.get(path);
      send(exchange, 200, resource.type(), resource.bytes());
    } else {
      throw new RefusedException(
          404, "the path must be / or /model or /predict, found " + shown(path));
    }
  }

  private void checkAsked(URI uri, Headers headers) throws RefusedException {
    List<String> host = headers.getOrDefault("Host", List.of());
    if (host.size() != 1 || !hosts.accepts(host.get(0))) {
      throw new RefusedException(
          403, "Host must be one of %s, found %s".formatted(hosts, shown(String.join(", ", host))));
    }
    if (uri.getRawAuthority() != null || uri.getScheme() != null) { // it would override Host
      throw new RefusedException(
          403, "the request must be of a path, found " + shown(uri.toString()));
    }
    for (String origin : headers.getOrDefault("Origin", List.of())) {
      String own = "http://" + host.get(0); // the origin of a page that this server sent
      if (!origin.equalsIgnoreCase(own)) {
        throw new RefusedException(
            403, "Origin must be %s, found %s".formatted(own, shown(origin)));
      }
    }
  }

  private static void checkMethod(HttpExchange exchange, String... methods)
      throws RefusedException {
    String method = exchange.getRequestMethod();
    if (!Set.of(methods).contains(method)) {
      String allowed = String.join(", ", methods);
      exchange.getResponseHeaders().set("Allow", allowed);
      throw new RefusedException(
          405, "the method must be %s, found %s".formatted(allowed, shown(method)));
    }
  }

  private static boolean raw(String query) throws RefusedException {
    if (query == null || query.equals("raw=false")) {
      return false;
    }
    if (query.equals("raw=true")) {
      return true;
    }
    throw new RefusedException(
        400, "the query must be raw=true, raw=false or nothing, found " + shown(query));
  }

  private static byte[] body(HttpExchange exchange) throws RefusedException {
    String length = exchange.getRequestHeaders().getFirst("Content-Length");
    // the JDK has refused a length that is no number
    if (length != null && Long.parseLong(length) > MAX_BODY) {
      throw tooLarge(length);
    }
    byte[] body;
    try {
      body = exchange.getRequestBody().readNBytes(MAX_BODY + 1);
    } catch (IOException | IndexOutOfBoundsException e) { // the JDK reads a chunk of −1 bytes so
      exchange.getResponseHeaders().set("Connection", "close"); // nothing tells where the body ends
      String finding = e instanceof IOException ? e.getMessage() : "a chunk of less than nothing";
      throw new RefusedException(
          400, "the body must be as long as the headers say, found: " + finding);
    }
    if (body.length > MAX_BODY) {
      throw tooLarge("more");
    }
    return body;
  }

  private static RefusedException tooLarge(String found) {
    return new RefusedException(
        413, "the body must have at most %d bytes, found %s".formatted(MAX_BODY, found));
  }

  /** The beginning of a text that a client sent. */
  private static String shown(String text) {
    return text.isEmpty() ? "nothing" : text.length() <= 100 ? text : text.substring(0, 100) + "…";
  }

  private static void send(HttpExchange exchange, int status, String type, byte[] body)
      throws IOException {
    Headers headers = exchange.getResponseHeaders();
    HEADERS.forEach(headers::set);
    headers.set("Content-Type", type);
    if (exchange.getRequestMethod().equals("HEAD")) {
      headers.set("Content-Length", Integer.toString(body.length));
      exchange.sendResponseHeaders(status, -1);
      return;
    }
    exchange.sendResponseHeaders(status, body.length);
    try (OutputStream out = exchange.getResponseBody()) {
      out.write(body);
    }
  }

  /** The headers by which the page asks this server alone, and no other page shows or reads it. */
  private static final Map<String, String> HEADERS = headers();

  private static Map<String, String> headers() {
    var headers = new LinkedHashMap<String, String>();
    headers.put(
        "Content-Security-Policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:;"
            + " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
    headers.put("X-Content-Type-Options", "nosniff");
    headers.put("Cross-Origin-Resource-Policy", "same-origin");
    headers.put("Referrer-Policy", "no-referrer");
    headers.put("Cache-Control", "no-store");
    return headers;
  }
}
