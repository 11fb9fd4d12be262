package mlpcuda.data;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.security.GeneralSecurityException;
import java.security.NoSuchAlgorithmException;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;
import org.eclipse.jetty.client.ContentDecoder;
import org.eclipse.jetty.client.EarlyHintsProtocolHandler;
import org.eclipse.jetty.client.HttpClient;
import org.eclipse.jetty.client.HttpResponseException;
import org.eclipse.jetty.client.InputStreamResponseListener;
import org.eclipse.jetty.client.ProcessingProtocolHandler;
import org.eclipse.jetty.client.Response;
import org.eclipse.jetty.http.HttpCookieStore;
import org.eclipse.jetty.http.HttpField;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.util.SocketAddressResolver;
import org.eclipse.jetty.util.component.LifeCycle;
import org.eclipse.jetty.util.ssl.SslContextFactory;
import org.eclipse.jetty.util.thread.QueuedThreadPool;
import org.eclipse.jetty.util.thread.ScheduledExecutorScheduler;

/**
 * One HTTP request for a file and its answer, by Jetty's client over a connection of its own.
 * Redirects are not followed, and the body is not decoded.
 *
 * <p>The JDK's own clients look a host's name up by themselves: a name whose address changes
 * between a check and that look-up (DNS rebinding) leads them to an address that nobody has
 * checked. Jetty's client connects to the addresses that it is given, so the ones that are checked
 * are the ones that are connected to. Where a proxy is used, the proxy looks names up, and only
 * what shows in the address itself can be checked.
 *
 * <p>Source: RFC 6761 (localhost).
 */
final class HttpGet implements AutoCloseable {
  private static final int THREADS = 8;

  /**
   * The longest head of an answer, in bytes; servers send far less, and a longer head is an attack.
   */
  private static final int MAX_HEAD_BYTES = 64 * 1024;

  /**
   * The handlers of Jetty's client that wait for a further answer after a status 102 or 103. A
   * mirror could send any number of such answers, each of which takes memory; without the handlers
   * the first of them is taken for the final answer.
   */
  private static final List<String> WAITING =
      List.of(ProcessingProtocolHandler.NAME, EarlyHintsProtocolHandler.NAME);

  /**
   * Matches host names that some systems read as IPv4 addresses, such as {@code 127.1} or {@code
   * 0x7f000001}.
   */
  private static final Pattern NUMBER_AT_END =
      Pattern.compile("(.*\\.)?(\\d+|0x\\p{XDigit}*)\\.?", Pattern.CASE_INSENSITIVE);

  /**
   * The parts of the network that a download may use.
   *
   * @param environment the environment, which may name proxies
   * @param mayReach the addresses that may be connected to
   * @param tls makes the connections of https, and decides which certificates are trusted
   */
  record Network(Map<String, String> environment, Predicate<InetAddress> mayReach, SSLContext tls) {
    /** Returns the network that users get. */
    static Network standard() {
      try {
        return new Network(System.getenv(), PublicAddress::is, SSLContext.getDefault());
      } catch (NoSuchAlgorithmException e) {
        throw new AssertionError("every Java platform has TLS", e);
      }
    }
  }

  /**
   * The only coding of bodies that the request accepts. Without it Jetty would search for libraries
   * that decompress bodies; the jar has none, and the published hashes are hashes of the undecoded
   * files.
   */
  private static final class AsSent extends ContentDecoder.Factory {
    AsSent() {
      super("identity");
    }

    @Override
    public Content.Source newDecoderContentSource(Content.Source sent) {
      return sent;
    }
  }

  private final HttpClient client;
  private final Response response;
  private final InputStream body;

  /**
   * Sends the request and reads the head of the answer.
   *
   * @param address an http or https address with a host
   * @param deadline the {@link System#nanoTime} at which the connection is closed; a read that
   *     waits then fails with an IOException
   * @throws IOException if the address may not be reached, or there is no HTTP answer
   */
  HttpGet(URI address, Network network, Download.Limits limits, long deadline) throws IOException {
    client = client(address, network, limits);
    try {
      LifeCycle.start(client);
      WAITING.forEach(client.getProtocolHandlers()::remove);
      var listener = new InputStreamResponseListener(); // holds one buffer of the client's
      // Jetty takes 0 ms for no time-out at all, and so the remaining time is rounded up.
      long left = 1 + Math.max(0, TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime()));
      client
          .newRequest(address)
          .headers(h -> h.put(HttpHeader.CONNECTION, "close").put(HttpHeader.ACCEPT, "*/*"))
          .timeout(left, TimeUnit.MILLISECONDS)
          .send(listener);
      response = listener.get(left, TimeUnit.MILLISECONDS);
      body = listener.getInputStream();
    } catch (ExecutionException | TimeoutException | RuntimeException e) {
      close();
      throw failure(e);
    } catch (InterruptedException e) {
      close();
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted");
    }
  }

  private static HttpClient client(URI address, Network network, Download.Limits limits)
      throws IOException {
    var threads = new QueuedThreadPool(THREADS, 1);
    threads.setName("download");
    threads.setDaemon(true);
    var tls = new SslContextFactory.Client(); // checks the host's name
    tls.setSslContext(network.tls());
    var client = new HttpClient();
    client.setExecutor(threads);
    client.setScheduler(new ScheduledExecutorScheduler("download-clock", true));
    client.setSslContextFactory(tls);
    client.setConnectTimeout(limits.connectMillis());
    client.setIdleTimeout(limits.readMillis());
    client.setMaxResponseHeadersSize(MAX_HEAD_BYTES);
    client.setUserAgentField(new HttpField(HttpHeader.USER_AGENT, "mlp-cuda"));
    client.setHttpCookieStore(new HttpCookieStore.Empty());
    client.setFollowRedirects(false);
    client.getContentDecoderFactories().put(new AsSent());
    Proxy proxy = HttpProxy.of(address, network.environment());
    if (proxy.equals(Proxy.NO_PROXY)) {
      client.setSocketAddressResolver(resolver(threads, network.mayReach()));
    } else {
      checkUnresolved(address.getHost(), network.mayReach());
      var at = (InetSocketAddress) proxy.address();
      client
          .getProxyConfiguration()
          .addProxy(new org.eclipse.jetty.client.HttpProxy(at.getHostString(), at.getPort()));
      client.setSocketAddressResolver(resolver(threads, any -> true)); // looks up the proxy alone
    }
    return client;
  }

  @Override
  public void close() {
    LifeCycle.stop(client);
  }

  /** Gives Jetty's client the addresses of a host that may be connected to. */
  private static SocketAddressResolver resolver(Executor threads, Predicate<InetAddress> mayReach) {
    return (host, port, context, promise) ->
        threads.execute(
            () -> {
              List<InetSocketAddress> found;
              try {
                found = checked(host, port, mayReach);
              } catch (IOException | RuntimeException e) {
                promise.failed(e);
                return;
              }
              promise.succeeded(found);
            });
  }

  /** Looks the host up once, and returns the addresses of it that may be connected to. */
  static List<InetSocketAddress> checked(String host, int port, Predicate<InetAddress> mayReach)
      throws IOException {
    InetAddress[] found = InetAddress.getAllByName(host);
    List<InetSocketAddress> allowed =
        Stream.of(found).filter(mayReach).map(a -> new InetSocketAddress(a, port)).toList();
    if (allowed.isEmpty()) {
      String literal = found[0].getHostAddress();
      throw new IOException(
          (host.equals(literal) ? host : host + " (" + literal + ")") + " is not a public address");
    }
    return allowed;
  }

  /** Checks a host whose name a proxy will look up. */
  private static void checkUnresolved(String host, Predicate<InetAddress> mayReach)
      throws IOException {
    String name = host.toLowerCase(Locale.ROOT).replaceFirst("\\.$", "");
    if (host.startsWith("[") || host.matches("(0|[1-9]\\d*)(\\.(0|[1-9]\\d*)){3}")) {
      checked(host, 0, mayReach); // a literal address is not looked up
    } else if (NUMBER_AT_END.matcher(name).matches()
        || name.equals("localhost")
        || name.endsWith(".localhost")) {
      throw new IOException(host + " is not the name of a public host");
    }
  }

  /**
   * Returns the reason of a failure in one line. Many of Jetty's own messages are dumps of its
   * objects, and are replaced.
   */
  private static IOException failure(Exception e) {
    boolean wraps =
        e instanceof ExecutionException
            || e.getClass() == IOException.class
            || e.getClass() == RuntimeException.class;
    Throwable failure = wraps && e.getCause() != null ? e.getCause() : e;
    Throwable first = failure;
    while (first.getCause() != null) {
      first = first.getCause();
    }
    if (first instanceof GeneralSecurityException) {
      return new IOException("certificate: " + first.getMessage(), failure);
    }
    if (failure instanceof TimeoutException || failure instanceof SocketTimeoutException) {
      return new IOException("timed out", failure);
    }
    // An answer that is not HTTP has a cause; without a cause the proxy has refused CONNECT.
    if (failure instanceof HttpResponseException refusal && refusal.getCause() == null) {
      int status = refusal.getResponse().getStatus();
      return new IOException("the proxy answered with status " + status, failure);
    }
    if (failure instanceof IOException plain && !(failure instanceof EOFException)) {
      return plain;
    }
    return new IOException("the answer is cut short or malformed", failure);
  }

  /** The status of the answer, such as 200. */
  int status() {
    return response.getStatus();
  }

  /** Returns the header Location, where a redirect leads; empty if the answer has none. */
  Optional<String> location() {
    return Optional.ofNullable(response.getHeaders().get(HttpHeader.LOCATION));
  }

  /** Returns the length of the body in bytes; -1 if the answer does not tell it. */
  long length() {
    return response.getHeaders().getLongField(HttpHeader.CONTENT_LENGTH);
  }

  /**
   * Reads bytes of the body as they arrive.
   *
   * @return the number of bytes that were read, or -1 at the end
   * @throws IOException if the connection ends before the body, or at the deadline
   */
  int read(byte[] buffer) throws IOException {
    try {
      return body.read(buffer);
    } catch (IOException | RuntimeException e) {
      throw failure(e);
    }
  }
}
