package mlpcuda.data;

import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.Socket;
import java.net.URI;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;

/**
 * One HTTP request for a file and the answer to it, over a connection of its own; redirects are not
 * followed.
 *
 * <p>The JDK's own clients look a host's name up by themselves, and do so again where they silently
 * repeat a request: a name whose address changes in between (DNS rebinding) leads them to an
 * address that nobody has checked. Here the address that is checked is the one that the socket is
 * connected to. Where a proxy is used, the proxy looks names up, and only what shows in the address
 * itself can be checked.
 *
 * <p>Source: RFC 9110 and RFC 9112 (HTTP/1.1), RFC 6761 (localhost).
 */
final class HttpGet implements AutoCloseable {
  private static final int MAX_LINE = 8192;
  private static final int MAX_LINES = 200;
  private static final int MAX_HEADS = 10;
  private static final Pattern STATUS = Pattern.compile("HTTP/1\\.[01] ([1-9]\\d\\d)( .*)?");

  /** The ends of host names that some systems take for numbers: IPv4 addresses, often shortened. */
  private static final Pattern NUMBER_AT_END =
      Pattern.compile("(.*\\.)?(\\d+|0x\\p{XDigit}*)\\.?", Pattern.CASE_INSENSITIVE);

  /**
   * The network as a download may use it.
   *
   * @param environment the environment, which may name proxies
   * @param mayReach the addresses that may be connected to
   * @param tls makes the sockets of https
   */
  record Network(
      Map<String, String> environment, Predicate<InetAddress> mayReach, SSLSocketFactory tls) {
    static final Network STANDARD =
        new Network(
            System.getenv(), PublicAddress::is, (SSLSocketFactory) SSLSocketFactory.getDefault());
  }

  private final Socket socket = new Socket(Proxy.NO_PROXY);
  private final CompletableFuture<Void> ending;
  private final URI address;
  private final Map<String, String> headers = new HashMap<>();
  private final int status;
  private final InputStream in;

  /**
   * Sends the request and reads the head of the answer.
   *
   * @param address an http or https address with a host
   * @param deadline the {@link System#nanoTime} at which the connection is closed, whatever it is
   *     doing then: whoever was waiting for it gets an IOException
   * @throws IOException if the address may not be reached, or there is no HTTP answer
   */
  HttpGet(URI address, Network network, Download.Limits limits, long deadline) throws IOException {
    this.address = address;
    long left = deadline - System.nanoTime();
    Executor then = CompletableFuture.delayedExecutor(left, TimeUnit.NANOSECONDS, Runnable::run);
    ending = CompletableFuture.runAsync(this::closeSocket, then);
    try {
      InputStream stream = connect(network, limits);
      in = new BufferedInputStream(stream);
      status = head(in, headers);
    } catch (IOException | RuntimeException e) {
      close();
      throw e;
    }
  }

  @Override
  public void close() {
    ending.cancel(false);
    closeSocket();
  }

  /** Closes the socket, which may be done while another thread waits for it. */
  private void closeSocket() {
    try {
      socket.close();
    } catch (IOException e) {
      // The answer has been read or given up.
    }
  }

  /** Connects, sends the request and returns the stream of the answer. */
  private InputStream connect(Network network, Download.Limits limits) throws IOException {
    boolean https = address.getScheme().equals("https");
    String host = address.getHost();
    int port = address.getPort() >= 0 ? address.getPort() : https ? 443 : 80;
    Proxy proxy = HttpProxy.of(address, network.environment());
    boolean direct = proxy.equals(Proxy.NO_PROXY);
    InetSocketAddress to =
        direct
            ? new InetSocketAddress(checked(host, network.mayReach()), port)
            : (InetSocketAddress) proxy.address();
    if (!direct) {
      checkUnresolved(host, network.mayReach());
      if (to.isUnresolved()) {
        throw new UnknownHostException(to.getHostString());
      }
    }
    socket.setSoTimeout(limits.readMillis());
    socket.connect(to, limits.connectMillis());
    Socket talk = socket;
    if (https) {
      if (!direct) {
        tunnel(host + ":" + port);
      }
      talk = secured(host, port, network.tls());
    }
    String target = address.getRawPath().isEmpty() ? "/" : address.getRawPath();
    target += address.getRawQuery() == null ? "" : "?" + address.getRawQuery();
    String named = address.getPort() < 0 ? host : host + ":" + port;
    send(talk, "GET " + (direct || https ? target : "http://" + named + target), named);
    return talk.getInputStream();
  }

  /** Looks the host up, once. */
  private static InetAddress checked(String host, Predicate<InetAddress> mayReach)
      throws IOException {
    InetAddress found = InetAddress.getByName(host);
    if (!mayReach.test(found)) {
      String literal = found.getHostAddress();
      throw new IOException(
          (host.equals(literal) ? host : host + " (" + literal + ")") + " is not a public address");
    }
    return found;
  }

  /** Checks a host that the proxy will look up. */
  private static void checkUnresolved(String host, Predicate<InetAddress> mayReach)
      throws IOException {
    String name = host.toLowerCase(Locale.ROOT).replaceFirst("\\.$", "");
    if (host.startsWith("[") || host.matches("(0|[1-9]\\d*)(\\.(0|[1-9]\\d*)){3}")) {
      checked(host, mayReach); // a literal address is not looked up
    } else if (NUMBER_AT_END.matcher(name).matches()
        || name.equals("localhost")
        || name.endsWith(".localhost")) {
      throw new IOException(host + " is not the name of a public host");
    }
  }

  /** Has the proxy connect to the host. */
  private void tunnel(String authority) throws IOException {
    send(socket, "CONNECT " + authority, authority);
    int answer = head(socket.getInputStream(), new HashMap<>());
    if (answer / 100 != 2) {
      throw new IOException("the proxy answered with status " + answer);
    }
  }

  private SSLSocket secured(String host, int port, SSLSocketFactory tls) throws IOException {
    String plain = host.replaceAll("[\\[\\]]", "");
    SSLSocket secure = (SSLSocket) tls.createSocket(socket, plain, port, true);
    SSLParameters parameters = secure.getSSLParameters();
    parameters.setEndpointIdentificationAlgorithm("HTTPS"); // else any valid certificate will do
    secure.setSSLParameters(parameters);
    secure.startHandshake();
    return secure;
  }

  private static void send(Socket to, String request, String host) throws IOException {
    String text =
        request
            + " HTTP/1.1\r\nHost: "
            + host
            + "\r\nUser-Agent: mlp-cuda\r\nAccept: */*\r\nConnection: close\r\n\r\n";
    to.getOutputStream().write(text.getBytes(StandardCharsets.US_ASCII));
    to.getOutputStream().flush();
  }

  /**
   * Reads the head of an answer, of which one or more of status 1xx may be sent ahead.
   *
   * @param headers takes the headers, by names in lower case
   * @return the status, at least 200
   */
  private static int head(InputStream in, Map<String, String> headers) throws IOException {
    for (int heads = 0; heads < MAX_HEADS; heads++) {
      Matcher first = STATUS.matcher(line(in));
      if (!first.matches()) {
        throw new IOException("no HTTP answer");
      }
      headers.clear();
      headers(in, headers);
      int status = Integer.parseInt(first.group(1));
      if (status >= 200) {
        return status;
      }
    }
    throw new IOException("more than " + MAX_HEADS + " answers to one request");
  }

  private static void headers(InputStream in, Map<String, String> headers) throws IOException {
    int lines = 0;
    for (String line = line(in); !line.isEmpty(); line = line(in)) {
      if (++lines > MAX_LINES) {
        throw new IOException("more than " + MAX_LINES + " headers");
      }
      int colon = Math.max(0, line.indexOf(':'));
      String name = line.substring(0, colon).toLowerCase(Locale.ROOT);
      String value = line.substring(colon + 1).strip();
      String former = headers.putIfAbsent(name, value);
      if (name.equals("content-length") && former != null && !former.equals(value)) {
        throw new IOException("two lengths are announced");
      }
    }
  }

  /** Reads a line; no byte after it. */
  static String line(InputStream in) throws IOException {
    StringBuilder line = new StringBuilder();
    for (int c = in.read(); c != '\n'; c = in.read()) {
      if (c < 0) {
        throw new EOFException("ended inside a line of HTTP");
      }
      if (line.length() == MAX_LINE) {
        throw new IOException("a line of HTTP has more than " + MAX_LINE + " bytes");
      }
      line.append((char) c);
    }
    int end = line.length() - 1;
    return end >= 0 && line.charAt(end) == '\r' ? line.substring(0, end) : line.toString();
  }

  /** The status of the answer, such as 200. */
  int status() {
    return status;
  }

  /** Where a redirect leads, as it was sent; null if the answer does not say. */
  String location() {
    return headers.get("location");
  }

  /**
   * The number of bytes of the body; -1 if the answer does not say.
   *
   * @throws IOException if the answer does not say it in digits
   */
  long length() throws IOException {
    String length = headers.get("content-length");
    if (length == null || headers.containsKey("transfer-encoding")) {
      return -1;
    }
    if (!length.matches("\\d{1,18}")) {
      throw new IOException("a bad length is announced");
    }
    return Long.parseLong(length);
  }

  /**
   * The body, which may go on after {@link #length}.
   *
   * @throws IOException if the body is coded in another way than chunks
   */
  InputStream body() throws IOException {
    String coding = headers.get("transfer-encoding");
    if (coding == null) {
      return in;
    }
    if (!coding.equalsIgnoreCase("chunked")) {
      throw new IOException("the answer has an unknown transfer coding");
    }
    return new ChunkedInput(in);
  }
}
