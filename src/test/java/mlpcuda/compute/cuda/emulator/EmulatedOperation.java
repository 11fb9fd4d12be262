package mlpcuda.compute.cuda.emulator;

import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** An operation that is enqueued on a stream and done later. */
abstract class EmulatedOperation {
  private final String what;
  private final Set<EmulatedResource> needs = new HashSet<>();
  private EmulatedStream stream;
  private long[] clock;
  private List<EmulatedOperation> after = List.of();
  private boolean done;

  /** {@code what} names it in messages; {@code needs} must live until it is done. */
  EmulatedOperation(String what, EmulatedResource... needs) {
    this.what = what;
    this.needs.addAll(Arrays.asList(needs));
  }

  /** The resources that must live until it is done. */
  final Set<EmulatedResource> needs() {
    return needs;
  }

  /**
   * Puts the operation in its place in a stream.
   *
   * @param clock for each stream, the number of its operations that come before this one, itself
   *     included
   * @param after operations of other streams that must be done before this one
   */
  final void place(EmulatedStream stream, long[] clock, List<EmulatedOperation> after) {
    this.stream = stream;
    this.clock = clock;
    this.after = after;
  }

  final EmulatedStream stream() {
    return stream;
  }

  final long[] clock() {
    return clock;
  }

  /** The operation's number in its stream. */
  final long tick() {
    return clock[stream.index()];
  }

  /** Whether this operation surely comes after operation {@code tick} of a stream, or is it. */
  final boolean comesAfter(int stream, long tick) {
    return knows(clock, stream, tick);
  }

  /** Whether this operation surely comes before one with that clock. */
  final boolean isBefore(long[] clock) {
    return knows(clock, stream.index(), tick());
  }

  private static boolean knows(long[] clock, int stream, long tick) {
    return stream < clock.length && clock[stream] >= tick;
  }

  /** The operations of other streams that must be done before this one. */
  final List<EmulatedOperation> after() {
    return after;
  }

  final boolean done() {
    return done;
  }

  /** Does the operation now. */
  final void perform() {
    done = true;
    // If it kept these, each operation would keep alive all operations before it.
    after = List.of();
    run();
  }

  /** Called when the host enqueues the operation. */
  void asked() {}

  /** Called when the device does the operation, maybe much later. */
  abstract void run();

  /** Called when the host has waited for the operation. */
  void known() {}

  @Override
  public final String toString() {
    return what + " on " + stream;
  }
}
