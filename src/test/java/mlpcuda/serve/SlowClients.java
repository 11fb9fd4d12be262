package mlpcuda.serve;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;

/**
 * Clients that begin a request and then send it byte by byte, all of them in one thread, from
 * several addresses of this machine.
 */
final class SlowClients implements AutoCloseable {
  private static final int PAUSE_MILLIS = 100;

  /**
   * What a client sends.
   *
   * @param start the bytes that the client sends at once
   * @param drop the bytes that the client then sends again and again, with pauses
   */
  record Habit(byte[] start, byte[] drop) {
    Habit(byte[] start, String drop) {
      this(start, RawHttp.bytes(drop));
    }
  }

  private final List<SocketChannel> channels = new ArrayList<>();
  private final Thread thread = new Thread(this::dribble, "slow clients");
  private final List<Habit> habits;
  private final BitSet answered = new BitSet();
  private volatile boolean closing;

  /**
   * Connects clients, an equal number from each of the addresses 127.0.0.2, 127.0.0.3 and so on.
   */
  SlowClients(int port, int addresses, int clientsOfAddress, List<Habit> habits)
      throws IOException {
    this.habits = habits;
    var server = new InetSocketAddress("127.0.0.1", port);
    for (int i = 0; i < addresses * clientsOfAddress; i++) {
      SocketChannel channel = SocketChannel.open();
      channels.add(channel);
      int last = 2 + i / clientsOfAddress;
      channel.bind(new InetSocketAddress(InetAddress.getByName("127.0.0." + last), 0));
      channel.connect(server);
      channel.configureBlocking(false);
      send(channel, habit(i).start());
    }
    thread.start();
  }

  /** All the ways in which a client can be slow. */
  static List<Habit> all(int port) {
    return List.of(
        new Habit(RawHttp.bytes(""), ""),
        new Habit(RawHttp.bytes("\r\n"), "\r\n"),
        new Habit(
            RawHttp.bytes("POST /predict HTTP/1.1\r\nHost: 127.0.0.1:" + port + "\r\nX:"), "x"),
        new Habit(RawHttp.request(port, "POST /predict", null, "Content-Length: 500000"), ""),
        new Habit(RawHttp.request(port, "POST /predict", null, "Content-Length: 500000"), "x"),
        new Habit(
            RawHttp.request(port, "POST /predict", null, "Transfer-Encoding: chunked"),
            "1;much=more\r\nx\r\n"),
        new Habit( // refused, and the rest of the body is slow
            RawHttp.request(port, "PUT /predict", null, "Content-Length: 500000"), "x"),
        new Habit(
            RawHttp.joined(RawHttp.request(port, "GET /model", null), RawHttp.bytes("G")), "E"));
  }

  /** A client that sends request after request and receives no answer. */
  static Habit unread(int port) {
    byte[] request = RawHttp.request(port, "GET /serve.js", null);
    byte[][] many = new byte[400][];
    Arrays.fill(many, request);
    return new Habit(RawHttp.joined(many), "");
  }

  int count() {
    return channels.size();
  }

  private Habit habit(int client) {
    return habits.get(client % habits.size());
  }

  private void dribble() {
    while (!closing) {
      for (int i = 0; i < channels.size(); i++) {
        send(channels.get(i), habit(i).drop());
      }
      try {
        Thread.sleep(PAUSE_MILLIS);
      } catch (InterruptedException e) {
        return;
      }
    }
  }

  private static void send(SocketChannel channel, byte[] bytes) {
    try {
      if (channel.isOpen()) {
        channel.write(ByteBuffer.wrap(bytes));
      }
    } catch (IOException e) {
      // The server has closed the connection, which is its right.
    }
  }

  /** Waits until at least {@code least} clients were answered or disconnected. */
  void awaitAnswers(int least) throws InterruptedException {
    while (answered.cardinality() < least) {
      for (int i = answered.nextClearBit(0);
          i < channels.size();
          i = answered.nextClearBit(i + 1)) {
        try {
          answered.set(i, channels.get(i).read(ByteBuffer.allocate(1)) != 0);
        } catch (IOException e) {
          answered.set(i); // reset
        }
      }
      Thread.sleep(10);
    }
  }

  /** Returns the answer that a client got; the server must have closed the connection. */
  String answer(int client) throws IOException, InterruptedException {
    var bytes = ByteBuffer.allocate(1 << 20);
    SocketChannel channel = channels.get(client);
    try {
      for (int n = channel.read(bytes); n >= 0; n = channel.read(bytes)) {
        Thread.sleep(n > 0 ? 0 : 10);
      }
    } catch (IOException e) {
      // after a reset the bytes that came before count
    }
    return new String(bytes.array(), 0, bytes.position());
  }

  @Override
  public void close() throws IOException {
    closing = true;
    thread.interrupt();
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    for (SocketChannel channel : channels) {
      channel.close();
    }
  }
}
