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
 * Serves a page to draw on, and {@code POST /predict}, over HTTP. It does not trust the bytes, how
 * fast they come, how many there are, and who makes the browser send them.
 */
public final class PredictionServer implements AutoCloseable {
  /** The largest body, in bytes. */
  static final int MAX_BODY = 1 << 20;

  /** The threads that read requests and write answers; none of them waits for a client. */
  static final int THREADS = 8;

  /**
   * The longest that a request's lines take to arrive, and that a picture waits for its answer;
   * {@link Clients} gives the other times as multiples. Tests raise it: a machine with other work
   * may take longer.
   */
  static final int SECONDS = Integer.getInteger("mlpcuda.serve.seconds", 5);

  /** The most bytes of a request's lines before its body. */
  static final int MAX_HEADER_BYTES = 16 << 10;

  /** The most bytes that Jetty keeps in buffers that nobody uses, in the heap and outside it. */
  private static final int SPARE_BYTES = 1 << 20;

  /** The most bytes of answers that the system keeps for a client who does not fetch them. */
  private static final int SEND_BYTES = 64 << 10;

  private final Server server;
  private final ServerConnector connector;
  private final Clients clients;
  private final Hosts hosts;
  private final String url;
  private final Handover handover;
  private final Consumer<Throwable> failed;

  private PredictionServer(
      ServerSocketChannel channel, String host, int answerSeconds, Consumer<Throwable> failed)
      throws IOException {
    var address = (InetSocketAddress) channel.getLocalAddress();
    this.handover = new Handover(answerSeconds);
    this.failed = failed;
    this.hosts = new Hosts(host, address.getAddress(), address.getPort());
    this.url = "http://%s:%d/".formatted(Hosts.inUrl(host), address.getPort());
    var threads = new QueuedThreadPool(THREADS, 1);
    threads.setName("serve");
    threads.setDaemon(true);
    threads.setReservedThreads(0);
    threads.setStopTimeout(0);
    var scheduler = new ScheduledExecutorScheduler("serve-clock", true);
    var buffers = new ArrayByteBufferPool(0, -1, -1, Integer.MAX_VALUE, SPARE_BYTES, SPARE_BYTES);
    this.server = new Server(threads, scheduler, buffers);
    server.setErrorHandler(new Errors(failed));
    this.clients = new Clients(scheduler, failed);
    this.connector =
        new ServerConnector(
            server, null, null, null, 1, 1, new ClientConnection.Factory(configuration(), clients));
    connector.addBean(clients);
    connector.setIdleTimeout(0); // Clients looks for those who are slow
    connector.setAcceptedSendBufferSize(SEND_BYTES);
    connector.open(channel);
    server.addConnector(connector);
  }

  /** The rules of HTTP, with none of the leniencies that Jetty has for old clients. */
  private static HttpConfiguration configuration() {
    var configuration = new HttpConfiguration();
    configuration.setHttpCompliance(HttpCompliance.STRICT);
    configuration.setUriCompliance(UriCompliance.DEFAULT);
    configuration.setRequestHeaderSize(MAX_HEADER_BYTES);
    configuration.setHeaderCacheSize(0); // it would be memory for every connection
    configuration.setSendServerVersion(false);
    configuration.setSendDateHeader(false);
    return configuration;
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

  /** The address of the page. */
  public String url() {
    return url;
  }

  /** The number of open connections. */
  int connections() {
    return clients.count();
  }

  /**
   * Answers requests until it is told to stop. The calling thread runs the network; threads of the
   * server's own speak HTTP.
   *
   * @throws mlpcuda.error.DeviceException if the device fails
   */
  public void run(Recogniser recogniser, BooleanSupplier stopping) {
    run(recogniser.description(), recogniser::answer, stopping);
  }

  /** {@link #run} with any function that answers, and with its description as JSON. */
  void run(byte[] description, Handover.Answering answers, BooleanSupplier stopping) {
    server.setHandler(new Routes(hosts, handover, description, failed));
    try {
      server.start();
    } catch (Exception e) {
      throw new IllegalStateException("the server must start", e);
    }
    clients.watch();
    handover.answer(answers, stopping, failed);
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
