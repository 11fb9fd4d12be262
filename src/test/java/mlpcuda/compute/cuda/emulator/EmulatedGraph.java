package mlpcuda.compute.cuda.emulator;

import java.util.List;
import java.util.function.Supplier;
import mlpcuda.compute.cuda.ptx.Fault;

/** A graph: operations that are enqueued again and again, one after the other. */
final class EmulatedGraph extends EmulatedResource {
  private final List<Supplier<EmulatedOperation>> nodes;
  private EmulatedOperation last;

  EmulatedGraph(int number, List<Supplier<EmulatedOperation>> nodes) {
    super("graph %d (%d nodes)".formatted(number, nodes.size()));
    this.nodes = List.copyOf(nodes);
  }

  /** The number of nodes. */
  int nodes() {
    return nodes.size();
  }

  /** Enqueues all nodes; as in CUDA, after all earlier launches of the same graph. */
  void launch(EmulatedStream stream, EmulatedQueue queue) {
    for (Supplier<EmulatedOperation> node : nodes) {
      EmulatedOperation operation = node.get();
      for (EmulatedResource needed : operation.needs()) {
        if (!needed.live()) {
          throw new Fault("%s uses %s, which was given back".formatted(this, needed));
        }
      }
      operation.needs().add(this);
      queue.ask(operation, stream, last);
      last = operation;
    }
  }
}
