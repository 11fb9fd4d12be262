package mlpcuda.serve;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.channels.ServerSocketChannel;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.eclipse.jetty.http.HttpCompliance;
import org.eclipse.jetty.http.UriCompliance;
import org.eclipse.jetty.io.ArrayByteBufferPool;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.util.thread.QueuedThreadPool;
import org.eclipse.jetty.util.thread.ScheduledExecutorScheduler;

/**
 * Serves a page to draw on, and {@code POST /predict}, over HTTP. The server trusts neither the
 * bytes of a request, nor their number and rate, nor the web page that made a browser send them.
 */
public final class PredictionServer implements AutoCloseable {
  /** The greatest size of a body, in bytes. */
  static final int MAX_BODY = 1 << 20;

  /** The number of threads that read requests and write answers; no thread waits for a client. */
  static final int THREADS = 8;

  /**
   * The longest time in seconds that the headers of a request may take to arrive, and that a
   * picture may wait for its answer; {@link Clients} defines other times as multiples of it. Tests
   * use a longer time, because a busy machine may be slower.
   */
  static final int SECONDS = Integer.getInteger("mlpcuda.serve.seconds", 5);

  /** The greatest size of the request line and the headers together, in bytes. */
  static final int MAX_HEADER_BYTES = 16 << 10;

  /** The most bytes that Jetty keeps in unused buffers, in the heap and outside of it. */
  private static final int SPARE_BYTES = 1 << 20;

  /**
   * The size of the system's send buffer, in bytes, which limits the memory for a client that does
   * not receive its answer.
   */
  private static final int SEND_BYTES = 64 << 10;

  /**
   * The most milliseconds that closing waits for the server's threads. The port is in use until the
   * thread that accepts connections has returned from the system call, even after it was closed.
   */
  private static final int STOP_MILLIS = 2000;

  private final Server server;
  private final ServerConnector connector;
  private final Clients clients;
  private final Hosts hosts;
  private final String url;
  private final PictureQueue queue;
  private final Consumer<Throwable> failed;

  private PredictionServer(
      ServerSocketChannel channel, String host, int answerSeconds, Consumer<Throwable> failed)
      throws IOException {
    var address = (InetSocketAddress) channel.getLocalAddress();
    this.queue = new PictureQueue(answerSeconds);
    this.failed = failed;
    this.hosts = new Hosts(host, address.getAddress(), address.getPort());
    this.url = "http://%s:%d/".formatted(Hosts.inUrl(host), address.getPort());
    var threads = new QueuedThreadPool(THREADS, 1);
    threads.setName("serve");
    threads.setDaemon(true);
    threads.setReservedThreads(0);
    threads.setStopTimeout(STOP_MILLIS);
    var scheduler = new ScheduledExecutorScheduler("serve-clock", true);
    var buffers = new ArrayByteBufferPool(0, -1, -1, Integer.MAX_VALUE, SPARE_BYTES, SPARE_BYTES);
    this.server = new Server(threads, scheduler, buffers);
    server.setErrorHandler(new JettyErrors(failed));
    this.clients = new Clients(scheduler, failed);
    this.connector =
        new ServerConnector(
            server, null, null, null, 1, 1, new ClientConnection.Factory(configuration(), clients));
    connector.addBean(clients);
    connector.setIdleTimeout(0); // Clients disconnects slow clients
    connector.setAcceptedSendBufferSize(SEND_BYTES);
    connector.open(channel);
    server.addConnector(connector);
  }

  /** Returns the rules of HTTP without the leniencies that Jetty offers for old clients. */
  private static HttpConfiguration configuration() {
    var configuration = new HttpConfiguration();
    configuration.setHttpCompliance(HttpCompliance.STRICT);
    configuration.setUriCompliance(UriCompliance.DEFAULT);
    configuration.setRequestHeaderSize(MAX_HEADER_BYTES);
    configuration.setHeaderCacheSize(
        0); // a cache of headers would take memory for every connection
    configuration.setSendServerVersion(false);
    configuration.setSendDateHeader(false);
    return configuration;
  }

  /**
   * Opens a port; requests wait until {@link #run} is called.
   *
   * @param host the name or address to listen on, which requests may use in the header Host
   * @param address the address to which {@code host} resolves
   * @param port the port; 0 for any free port
   * @param failed receives exceptions that are bugs
   * @throws IOException if the port cannot be opened
   */
  public static PredictionServer open(
      String host, InetAddress address, int port, Consumer<Throwable> failed) throws IOException {
    return open(host, address, port, SECONDS, failed);
  }

  /**
   * Opens a port as {@link #open} does; a picture waits at most {@code answerSeconds} for its
   * answer.
   */
  static PredictionServer open(
      String host, InetAddress address, int port, int answerSeconds, Consumer<Throwable> failed)
      throws IOException {
    ServerSocketChannel channel = ServerSocketChannel.open();
    try {
      channel.setOption(StandardSocketOptions.SO_REUSEADDR, true);
      channel.bind(new InetSocketAddress(address, port), Clients.CONNECTIONS);
      return new PredictionServer(channel, host, answerSeconds, failed);
    } catch (IOException | RuntimeException e) {
      channel.close();
      throw e;
    }
  }

  /** Returns the address of the page. */
  public String url() {
    return url;
  }

  /** Returns the number of open connections. */
  int connections() {
    return clients.count();
  }

  /**
   * Answers requests until {@code stopping} returns true. The calling thread runs the network; the
   * server's own threads speak HTTP.
   *
   * @throws mlpcuda.error.DeviceException if the device fails
   */
  public void run(Responder network, BooleanSupplier stopping) {
    server.setHandler(new Routes(hosts, queue, network, failed));
    try {
      server.start();
    } catch (Exception e) {
      throw new IllegalStateException("the server must start", e);
    }
    clients.watch();
    queue.answer(network, stopping, failed);
  }

  /** Closes all connections and frees the port. */
  @Override
  public void close() {
    try {
      server.stop();
    } catch (Exception e) {
      failed.accept(e);
    }
    connector.close();
  }
}
