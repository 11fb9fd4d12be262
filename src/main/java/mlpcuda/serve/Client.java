package mlpcuda.serve;

import java.net.InetAddress;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;

/**
 * The client of a connection: what the server waits for, since when, and how much memory the
 * client's request takes.
 */
final class Client {
  /** The state of a connection. In all states but {@code WORK} the server waits for the client. */
  enum State {
    /** The client sends the request line and the headers, or has sent nothing yet. */
    HEAD,
    /** The client sends a body. */
    BODY,
    /** The server computes the answer. */
    WORK,
    /** The client receives the answer. */
    ANSWER,
    /** The client may send another request. */
    IDLE
  }

  /** A period during which a connection is in one state. */
  static final class Stay {
    private final State state;
    private final long since = System.nanoTime();
    private volatile long received;
    private volatile RefusedException refusal;

    private Stay(State state) {
      this.state = state;
    }

    State state() {
      return state;
    }

    /** The {@link System#nanoTime} at which the period began. */
    long since() {
      return since;
    }

    double seconds() {
      return (System.nanoTime() - since) / 1e9;
    }

    /** Counts bytes of the body; may be called by the thread that reads the body only. */
    void receive(int bytes) {
      received += bytes;
    }

    /** Returns the number of bytes of the body that were read. */
    long received() {
      return received;
    }

    /**
     * Makes the reader of the body stop and answer with this refusal; a second refusal is ignored.
     */
    void refuse(RefusedException reason) {
      if (refusal == null) {
        refusal = reason;
      }
    }

    /** Returns the reason why the body is read no further; empty while it is read. */
    Optional<RefusedException> refusal() {
      return Optional.ofNullable(refusal);
    }
  }

  private final InetAddress address;
  private final ClientConnection connection;
  private final AtomicReference<Stay> stay = new AtomicReference<>(new Stay(State.HEAD));

  /**
   * The bytes that {@link Clients} counts for this client's request, guarded by the lock of {@link
   * Clients}.
   */
  int held;

  /** Creates a client that has connected from {@code address}. */
  Client(InetAddress address, ClientConnection connection) {
    this.address = address;
    this.connection = connection;
  }

  InetAddress address() {
    return address;
  }

  ClientConnection connection() {
    return connection;
  }

  Stay stay() {
    return stay.get();
  }

  Stay enter(State state) {
    var next = new Stay(state);
    stay.set(next);
    return next;
  }

  /** Enters a state, unless the state {@code from} was left meanwhile. */
  void enter(State state, Stay from) {
    stay.compareAndSet(from, new Stay(state));
  }
}
