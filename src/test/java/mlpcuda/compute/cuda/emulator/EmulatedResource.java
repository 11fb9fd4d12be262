package mlpcuda.compute.cuda.emulator;

import java.util.HashMap;
import java.util.Map;
import mlpcuda.compute.cuda.ptx.Fault;

/**
 * Something that is made, used by operations and given back: memory, a stream, an event, a module,
 * a graph. It remembers who used it last, to find operations that nothing puts in order.
 */
class EmulatedResource {
  /** An operation's place in its stream; the operation itself is not kept alive. */
  private record Use(String operation, int stream, long tick) {}

  private final String name;
  private boolean live = true;
  private final Map<Integer, Use> reads = new HashMap<>();
  private final Map<Integer, Use> writes = new HashMap<>();

  /** {@code name}: as messages show it. */
  EmulatedResource(String name) {
    this.name = name;
  }

  /** Whether it was not given back yet. */
  final boolean live() {
    return live;
  }

  /** It was given back. */
  final void end() {
    live = false;
  }

  /** The operation has read this; {@link Fault} if it may just as well have met a write. */
  final void readBy(EmulatedOperation operation) {
    check(operation, "reads", writes, "writes");
    reads.put(operation.stream().index(), use(operation));
  }

  /** The operation has written this; {@link Fault} if it may just as well have met another use. */
  final void writtenBy(EmulatedOperation operation) {
    check(operation, "writes", writes, "writes");
    check(operation, "writes", reads, "reads");
    writes.put(operation.stream().index(), use(operation));
  }

  private static Use use(EmulatedOperation operation) {
    return new Use(operation.toString(), operation.stream().index(), operation.tick());
  }

  // The last use of each stream is enough: what comes before it in its stream is ordered as it is.
  private void check(
      EmulatedOperation operation, String does, Map<Integer, Use> uses, String other) {
    for (Use use : uses.values()) {
      if (!operation.comesAfter(use.stream, use.tick)) {
        throw new Fault(
            "race on %s: %s %s it, %s %s it, and nothing puts the two in order"
                .formatted(name, operation, does, use.operation, other));
      }
    }
  }

  @Override
  public final String toString() {
    return name;
  }
}
