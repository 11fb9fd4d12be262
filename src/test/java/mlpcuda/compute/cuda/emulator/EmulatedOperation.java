package mlpcuda.compute.cuda.emulator;

import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Something asked of a stream, done later. */
abstract class EmulatedOperation {
  private final String what;
  private final Set<EmulatedResource> needs = new HashSet<>();
  private EmulatedStream stream;
  private long[] clock;
  private List<EmulatedOperation> after = List.of();
  private boolean done;

  /** {@code what}: as messages show it; {@code needs}: what must live until it is done. */
  EmulatedOperation(String what, EmulatedResource... needs) {
    this.what = what;
    this.needs.addAll(Arrays.asList(needs));
  }

  /** What must live until it is done. */
  final Set<EmulatedResource> needs() {
    return needs;
  }

  /**
   * Puts it in its place.
   *
   * @param clock how many operations of each stream come before it, itself included
   * @param after operations of other streams that must be done before
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

  /** Its number among the operations of its stream. */
  final long tick() {
    return clock[stream.index()];
  }

  /** Whether this surely comes after operation {@code tick} of a stream, or is it. */
  final boolean comesAfter(int stream, long tick) {
    return knows(clock, stream, tick);
  }

  /** Whether this surely comes before what has that clock. */
  final boolean isBefore(long[] clock) {
    return knows(clock, stream.index(), tick());
  }

  private static boolean knows(long[] clock, int stream, long tick) {
    return stream < clock.length && clock[stream] >= tick;
  }

  /** Operations of other streams that must be done before. */
  final List<EmulatedOperation> after() {
    return after;
  }

  final boolean done() {
    return done;
  }

  /** Does it now. */
  final void perform() {
    done = true;
    // Else each operation would keep alive all that were ever before it.
    after = List.of();
    run();
  }

  /** The host asks for it. */
  void asked() {}

  /** The device does it: later, and maybe much later. */
  abstract void run();

  /** The host has waited for it. */
  void known() {}

  @Override
  public final String toString() {
    return what + " on " + stream;
  }
}
