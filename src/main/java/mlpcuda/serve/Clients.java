package mlpcuda.serve;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.eclipse.jetty.io.Connection;
import org.eclipse.jetty.util.thread.Scheduler;

/**
 * The connected clients. A client that is slower than the limits is disconnected. If there are too
 * many clients, or their requests take too much memory, the clients for which the server has waited
 * longest are disconnected; a fast client is never among them.
 */
final class Clients implements Connection.Listener {
  /** The greatest number of open connections. */
  static final int CONNECTIONS = 1024;

  /** The greatest number of open connections from one address. */
  static final int CONNECTIONS_OF_ADDRESS = 64;

  /** The greatest number of bytes of all unanswered requests together. */
  static final int BYTES = 16 << 20;

  /**
   * The least rate at which a body may arrive, in bytes per second on average since its first byte.
   */
  static final int RATE = 8 << 10;

  /**
   * The longest time in seconds that the request line and the headers may take, and that a body may
   * take before its rate is judged.
   */
  private static final int SECONDS = PredictionServer.SECONDS;

  /** The longest time in seconds that a body may take. */
  private static final int BODY_SECONDS = 12 * SECONDS;

  /** The longest time in seconds that a client may take to receive an answer. */
  private static final int ANSWER_SECONDS = 2 * SECONDS;

  /** The longest time in seconds that a connection may be idle between two requests. */
  private static final int IDLE_SECONDS = 6 * SECONDS;

  private static final int LOOK_MILLIS = 250;

  private final Scheduler scheduler;
  private final Consumer<Throwable> failed;
  private final Set<Client> open = new LinkedHashSet<>();
  private long held;

  /**
   * Creates the set, without clients.
   *
   * @param scheduler runs the periodic check for slow clients
   * @param failed receives exceptions that are bugs
   */
  Clients(Scheduler scheduler, Consumer<Throwable> failed) {
    this.scheduler = scheduler;
    this.failed = failed;
  }

  /** Starts the periodic check for slow clients. */
  void watch() {
    scheduler.schedule(this::look, LOOK_MILLIS, TimeUnit.MILLISECONDS);
  }

  /** Returns the number of open connections. */
  synchronized int count() {
    return open.size();
  }

  @Override
  public void onOpened(Connection connection) {
    admit(((ClientConnection) connection).client()).forEach(Clients::close);
  }

  /**
   * Adds a client, and returns the clients that must be disconnected so that no limit is exceeded.
   */
  private synchronized List<Client> admit(Client client) {
    var leaving = new ArrayList<Client>();
    Predicate<Client> sameAddress = other -> other.address().equals(client.address());
    if (open.stream().filter(sameAddress).count() >= CONNECTIONS_OF_ADDRESS) {
      leaving.add(longestAwaited(sameAddress, client));
    } else if (open.size() >= CONNECTIONS) {
      leaving.add(longestAwaited(other -> true, client));
    }
    open.add(client);
    leaving.forEach(this::remove);
    return leaving;
  }

  private Client longestAwaited(Predicate<Client> among, Client otherwise) {
    return open.stream()
        .filter(among)
        .filter(client -> client.stay().state() != Client.State.WORK)
        .min(Comparator.comparingLong(client -> client.stay().since()))
        .orElse(otherwise);
  }

  @Override
  public void onClosed(Connection connection) {
    remove(((ClientConnection) connection).client());
  }

  private synchronized void remove(Client client) {
    open.remove(client);
    held -= client.held;
    client.held = 0;
  }

  /**
   * Notes how many bytes a client's request takes, and disconnects other clients if the requests
   * together exceed the limit.
   */
  void hold(Client client, int bytes) {
    makeRoom(client, bytes).forEach(Clients::endForRoom);
  }

  private synchronized List<Client> makeRoom(Client client, int bytes) {
    if (!open.contains(client)) {
      return List.of(); // the client's connection was closed, and its request will fail
    }
    held += bytes - client.held;
    client.held = bytes;
    var leaving = new ArrayList<Client>();
    while (held > BYTES && client.held > 0) {
      Client longest = longestAwaited(other -> other.held > 0, client);
      held -= longest.held;
      longest.held = 0;
      leaving.add(longest);
    }
    return leaving;
  }

  private static void endForRoom(Client client) {
    Client.Stay stay = client.stay();
    if (stay.state() == Client.State.BODY) {
      refuse(
          client,
          stay,
          new RefusedException(
              503, "busy: all requests may take %d bytes, found more".formatted(BYTES)));
    } else {
      close(client);
    }
  }

  private void look() {
    try {
      List<Client> all;
      synchronized (this) {
        all = List.copyOf(open);
      }
      all.forEach(Clients::endIfSlow);
    } catch (RuntimeException | Error e) {
      failed.accept(e);
    } finally {
      watch();
    }
  }

  private static void endIfSlow(Client client) {
    Client.Stay stay = client.stay();
    double seconds = stay.seconds();
    switch (stay.state()) {
      case HEAD -> {
        if (seconds > SECONDS && isAwaited(client)) {
          client.connection().timeOut();
        }
      }
      case BODY -> endIfSlowBody(client, stay, seconds);
      case ANSWER -> {
        if (seconds > ANSWER_SECONDS) {
          close(client);
        }
      }
      case IDLE -> {
        if (seconds > IDLE_SECONDS && isAwaited(client)) {
          close(client);
        }
      }
      case WORK -> {} // the server is slow, not the client
    }
  }

  private static void endIfSlowBody(Client client, Client.Stay stay, double seconds) {
    boolean slow = seconds > SECONDS && stay.received() < RATE * seconds && isAwaited(client);
    if (seconds > BODY_SECONDS + SECONDS) { // the reader was told to stop long ago
      close(client);
    } else if (slow || seconds > BODY_SECONDS || stay.refusal().isPresent()) {
      refuse(
          client,
          stay,
          new RefusedException(
              408,
              "the body must come within %d s, and %d bytes of it a second, found %d in %.0f s"
                  .formatted(BODY_SECONDS, RATE, stay.received(), seconds)));
    }
  }

  /**
   * Whether the server has read all bytes that have arrived from a client; if not, the server is
   * slow and not the client.
   */
  private static boolean isAwaited(Client client) {
    return client.connection().getEndPoint().isFillInterested();
  }

  /**
   * Tells the reader of a body to stop. Telling it again is harmless, and is needed if the reader
   * was busy the first time.
   */
  private static void refuse(Client client, Client.Stay stay, RefusedException reason) {
    stay.refuse(reason);
    client.connection().wakeReader();
  }

  private static void close(Client client) {
    client.connection().getEndPoint().close();
  }
}
