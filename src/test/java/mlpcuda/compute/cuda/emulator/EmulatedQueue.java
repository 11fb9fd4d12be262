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
 * Does operations in an order that only streams, events and the host's waiting constrain, and knows
 * by vector clocks what comes before what, whatever order it happened to take.
 */
final class EmulatedQueue {
  private final EmulatedPolicy policy;
  private final EmulatedCalls calls;
  private final Random random;
  private final List<EmulatedStream> streams = new ArrayList<>();
  // Done or not: what the host has not waited for.
  private List<EmulatedOperation> unknown = new ArrayList<>();
  private long[] host = {};
  private long operations;
  // For the next launch; and of one that ran, which no call has shown yet: nothing runs until then.
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

  /** Whether any stream captures. */
  boolean capturing() {
    return streams.stream().anyMatch(stream -> stream.capture() != null);
  }

  /** What is captured now cannot become a graph any more. */
  void invalidateCaptures() {
    for (EmulatedStream stream : streams) {
      if (stream.capture() != null) {
        stream.capture().valid = false;
      }
    }
  }

  /** The next kernel to be launched will fail when it runs. */
  void failNextLaunch(EmulatedFailure failure) {
    failLaunch = failure;
  }

  /** Asks a stream for what {@code node} makes, or adds it to what the stream captures. */
  void ask(EmulatedStream stream, Supplier<EmulatedOperation> node) {
    if (stream.capture() == null) {
      ask(node.get(), stream, null);
    } else {
      stream.capture().nodes.add(node);
    }
  }

  /** Asks a stream for an operation, to be done after {@code after} also, which may be null. */
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
          // as long as chance wants more
        }
      }
    }
  }

  /** How many operations were asked for in all, nodes of launched graphs each for themselves. */
  long operations() {
    return operations;
  }

  /** The host waits for an operation; null: for nothing. */
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

  /** Does all that is left. */
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

  /** {@link Fault} if something that the host has not waited for needs the resource. */
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

  // Without recursion: thousands of operations may wait for each other.
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
