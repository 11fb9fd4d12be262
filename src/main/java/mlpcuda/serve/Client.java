package mlpcuda.serve;

import java.net.InetAddress;
import java.util.concurrent.atomic.AtomicReference;

/** The client of a connection: what the server waits for, and how much memory a request takes. */
final class Client {
  /** What a connection does. In all states but {@code WORK} the server waits for the client. */
  enum State {
    /** The client sends the lines of a request, or has sent nothing at all yet. */
    HEAD,
    /** The client sends a body. */
    BODY,
    /** The server works on the answer. */
    WORK,
    /** The client fetches the answer. */
    ANSWER,
    /** The client may send another request. */
    IDLE
  }

  /** The time that a connection is in a state. */
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

    /** {@link System#nanoTime} of the beginning. */
    long since() {
      return since;
    }

    double seconds() {
      return (System.nanoTime() - since) / 1e9;
    }

    /** Counts bytes of the body; only the thread that reads it may call this. */
    void receive(int bytes) {
      received += bytes;
    }

    /** The bytes of the body that have come. */
    long received() {
      return received;
    }

    /** Has the reader of the body give up, with this answer; the first one counts. */
    void refuse(RefusedException reason) {
      if (refusal == null) {
        refusal = reason;
      }
    }

    /** Why the body is read no further, or null. */
    RefusedException refusal() {
      return refusal;
    }
  }

  private final InetAddress address;
  private final ClientConnection connection;
  private final AtomicReference<Stay> stay = new AtomicReference<>(new Stay(State.HEAD));

  /** The bytes that {@link Clients} counts for this client's request; its lock guards them. */
  int held;

  /** A client that has connected from {@code address}. */
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

  /** Enters a state, unless {@code from} has been left meanwhile. */
  void enter(State state, Stay from) {
    stay.compareAndSet(from, new Stay(state));
  }
}
