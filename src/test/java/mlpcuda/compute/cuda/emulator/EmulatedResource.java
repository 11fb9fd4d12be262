package mlpcuda.compute.cuda.emulator;

import java.util.HashMap;
import java.util.Map;
import mlpcuda.compute.cuda.ptx.Fault;

/**
 * A resource that is made, used by operations and released: memory, a stream, an event, a module, a
 * graph. It remembers its last users, to find operations that nothing puts in order.
 */
class EmulatedResource {
  /** An operation's place in its stream; the operation itself is not kept alive. */
  private record Use(String operation, int stream, long tick) {}

  private final String name;
  private boolean live = true;
  private final Map<Integer, Use> reads = new HashMap<>();
  private final Map<Integer, Use> writes = new HashMap<>();

  /** {@code name} is its name in messages. */
  EmulatedResource(String name) {
    this.name = name;
  }

  /** Whether it was not released yet. */
  final boolean live() {
    return live;
  }

  /** Notes that it is released. */
  final void end() {
    live = false;
  }

  /** Notes that the operation has read this; {@link Fault} if a write may race with the read. */
  final void readBy(EmulatedOperation operation) {
    check(operation, "reads", writes, "writes");
    reads.put(operation.stream().index(), use(operation));
  }

  /**
   * Notes that the operation has written this; {@link Fault} if another use may race with the
   * write.
   */
  final void writtenBy(EmulatedOperation operation) {
    check(operation, "writes", writes, "writes");
    check(operation, "writes", reads, "reads");
    writes.put(operation.stream().index(), use(operation));
  }

  private static Use use(EmulatedOperation operation) {
    return new Use(operation.toString(), operation.stream().index(), operation.tick());
  }

  // The last use of each stream is enough: the stream orders those before it.
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
