package mlpcuda.compute.cuda.emulator;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.function.Supplier;
import mlpcuda.compute.cuda.ptx.Fault;

/** A stream: operations in their order; while it captures, the nodes of a graph. */
final class EmulatedStream extends EmulatedResource {
  /** A recording; {@code valid} until a call is made that no capture allows. */
  static final class Capture {
    final List<Supplier<EmulatedOperation>> nodes = new ArrayList<>();
    boolean valid = true;
  }

  private final int index;
  private final Queue<EmulatedOperation> pending = new ArrayDeque<>();
  private EmulatedOperation last;
  private Capture capture;

  /** The {@code index}th stream, from 0. */
  EmulatedStream(int index) {
    super("stream " + (index + 1));
    this.index = index;
  }

  int index() {
    return index;
  }

  /** The operations that are not done yet, the first one first. */
  Queue<EmulatedOperation> pending() {
    return pending;
  }

  /** The operation enqueued last; null: there is none yet. */
  EmulatedOperation last() {
    return last;
  }

  /** Adds an operation behind all others. */
  void add(EmulatedOperation operation) {
    pending.add(operation);
    last = operation;
  }

  /**
   * This stream; {@link Fault} if it captures, for calls whose record in a graph is not emulated.
   */
  EmulatedStream notCapturing() {
    if (capture != null) {
      throw new Fault("%s captures, and this in a graph is not emulated".formatted(this));
    }
    return this;
  }

  /** The current recording; null if the stream does not capture. */
  Capture capture() {
    return capture;
  }

  /** Starts ({@code capture}) or ends (null) a recording. */
  void capture(Capture capture) {
    this.capture = capture;
  }
}
