package mlpcuda.compute.cuda.emulator;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import mlpcuda.compute.cuda.ptx.Fault;

/**
 * Does operations in an order that only streams, events and the host's waiting constrain. By vector
 * clocks it knows which operation comes before which, whatever order they happened to run in.
 */
final class EmulatedQueue {
  private final EmulatedPolicy policy;
  private final EmulatedCalls calls;
  private final Random random;
  private final List<EmulatedStream> streams = new ArrayList<>();
  // the operations that the host has not waited for, whether they are done or not
  private List<EmulatedOperation> unknown = new ArrayList<>();
  private long[] host = {};
  private long operations;
  // The first is for the next launch; the second is of a launch that ran, and until a call has
  // shown it nothing runs.
  private EmulatedFailure failLaunch;
  private EmulatedFailure failure;

  EmulatedQueue(EmulatedPolicy policy, EmulatedCalls calls) {
    this.policy = policy;
    this.calls = calls;
    this.random = new Random(policy.seed());
  }

  /** A new stream. */
  EmulatedStream createStream() {
    EmulatedStream stream = new EmulatedStream(streams.size());
    streams.add(stream);
    return stream;
  }

  /**
   * Makes a call fail that no capture allows, and all current captures with it: none of them can
   * become a graph.
   */
  void checkNotCapturing() {
    List<EmulatedStream> capturing =
        streams.stream().filter(stream -> stream.capture() != null).toList();
    if (!capturing.isEmpty()) {
      capturing.forEach(stream -> stream.capture().valid = false);
      throw calls.failure(EmulatedFailure.CAPTURE_UNSUPPORTED);
    }
  }

  /** Makes the next kernel that is launched fail when it runs. */
  void failNextLaunch(EmulatedFailure failure) {
    failLaunch = failure;
  }

  /** Enqueues the operation that {@code node} makes, or adds it to the stream's capture. */
  void ask(EmulatedStream stream, Supplier<EmulatedOperation> node) {
    if (stream.capture() == null) {
      ask(node.get(), stream, null);
    } else {
      stream.capture().nodes.add(node);
    }
  }

  /** Enqueues an operation, to be done after {@code after}, too, which may be null. */
  void ask(EmulatedOperation operation, EmulatedStream stream, EmulatedOperation after) {
    long[] clock = Arrays.copyOf(host, streams.size());
    if (stream.last() != null) {
      join(clock, stream.last().clock());
    }
    if (after != null) {
      join(clock, after.clock());
    }
    clock[stream.index()]++;
    if (failLaunch != null && operation instanceof EmulatedLaunch launch) {
      EmulatedFailure failing = failLaunch;
      failLaunch = null;
      launch.replace(() -> failure = failing);
    }
    operation.place(stream, clock, after == null ? List.of() : List.of(after));
    operation.asked();
    stream.add(operation);
    unknown.add(operation);
    operations++;
    switch (policy.kind()) {
      case LATEST -> {}
      case EAGER -> require(operation);
      case RANDOM -> {
        while (random.nextInt(3) != 0 && performAny()) {
          // the condition performs an operation, until chance ends the loop
        }
      }
    }
  }

  /** The number of operations enqueued in all, each node of a launched graph included. */
  long operations() {
    return operations;
  }

  /** The number of operations that are enqueued and not done. */
  int pending() {
    return streams.stream().mapToInt(stream -> stream.pending().size()).sum();
  }

  /** Waits for an operation on the host; null: there is none to wait for. */
  void synchronize(EmulatedOperation operation) {
    if (operation != null) {
      if (policy.kind() == EmulatedPolicy.Kind.RANDOM) {
        while (failure == null && !operation.done()) {
          performAny();
        }
      }
      require(operation);
    }
    showFailure();
    if (operation != null) {
      long[] clock = Arrays.copyOf(host, streams.size());
      join(clock, operation.clock());
      host = clock;
      learn();
    }
  }

  /** Whether an operation is done; if so, the host has waited for it. Null: there is none. */
  boolean isDone(EmulatedOperation operation) {
    if (operation != null && !operation.done()) {
      return false;
    }
    synchronize(operation);
    return true;
  }

  /** Does all operations that are left. */
  void drain() {
    for (EmulatedStream stream : streams) {
      if (stream.last() != null) {
        require(stream.last());
      }
    }
    showFailure();
  }

  private void showFailure() {
    if (failure != null) {
      EmulatedFailure shown = failure;
      failure = null;
      throw calls.failure(shown);
    }
  }

  /** Throws a {@link Fault} if an operation that the host has not waited for needs the resource. */
  void checkUnneeded(EmulatedResource resource) {
    for (EmulatedOperation operation : unknown) {
      if (operation.needs().contains(resource) || operation.stream() == resource) {
        throw new Fault(
            "%s is given back, but %s needs it and the host has not waited for that"
                .formatted(resource, operation));
      }
    }
  }

  private void learn() {
    Map<Boolean, List<EmulatedOperation>> known =
        unknown.stream()
            .collect(
                Collectors.partitioningBy(
                    operation -> operation.isBefore(host), Collectors.toList()));
    unknown = known.get(false);
    known.get(true).forEach(EmulatedOperation::known);
  }

  // This is not recursive: thousands of operations may wait for each other.
  private void require(EmulatedOperation operation) {
    Deque<EmulatedOperation> wanted = new ArrayDeque<>();
    wanted.push(operation);
    while (failure == null && !wanted.isEmpty()) {
      if (wanted.peek().done()) {
        wanted.pop();
        continue;
      }
      EmulatedOperation first = wanted.peek().stream().pending().element();
      EmulatedOperation before = notDone(first.after());
      if (before == null) {
        perform(first);
      } else {
        wanted.push(before);
      }
    }
  }

  private boolean performAny() {
    List<EmulatedOperation> ready = new ArrayList<>();
    for (EmulatedStream stream : streams) {
      EmulatedOperation first = stream.pending().peek();
      if (first != null && notDone(first.after()) == null) {
        ready.add(first);
      }
    }
    if (failure != null || ready.isEmpty()) {
      return false;
    }
    perform(ready.get(random.nextInt(ready.size())));
    return true;
  }

  private static EmulatedOperation notDone(List<EmulatedOperation> operations) {
    return operations.stream().filter(operation -> !operation.done()).findFirst().orElse(null);
  }

  private static void perform(EmulatedOperation operation) {
    operation.stream().pending().remove();
    try {
      operation.perform();
    } catch (Fault fault) {
      Fault made = new Fault(operation + ": " + fault.getMessage());
      made.initCause(fault);
      throw made;
    }
  }

  private static void join(long[] clock, long[] other) {
    for (int i = 0; i < other.length; i++) {
      clock[i] = Math.max(clock[i], other[i]);
    }
  }
}
