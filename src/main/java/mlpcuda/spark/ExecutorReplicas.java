package mlpcuda.spark;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import mlpcuda.Device;
import mlpcuda.Replica;

/**
 * The replicas that this process, an executor, keeps between two rounds, because a device and the
 * rows on it cost more to open than a round may take. No result depends on it: a replica that is
 * not here is opened anew. Whoever takes a replica has it alone, and gives it back or closes it.
 */
final class ExecutorReplicas {
  /** The most replicas that are kept: others belong to trainings that are over, most likely. */
  private static final int MOST = 64;

  private static final long IDLE_NANOS = TimeUnit.MINUTES.toNanos(3);

  /** The replicas that nobody uses, the one that was given back first at the front. */
  private static final Map<Key, Idle> IDLE = new LinkedHashMap<>();

  private static ScheduledExecutorService closer; // null: nothing was given back yet

  private ExecutorReplicas() {}

  /**
   * The name of a replica.
   *
   * @param fit the identifier of the training
   * @param worker the worker's number
   * @param gpu the number of the GPU that Spark assigned to the task
   */
  record Key(String fit, int worker, OptionalInt gpu) {}

  /** A replica with the device that it has for itself. */
  record Open(Device device, Replica replica) implements AutoCloseable {
    @Override
    public void close() {
      try (device) {
        replica.close();
      }
    }
  }

  private record Idle(Open open, long since) {}

  /** The replica of that name, which is then the caller's; null: there is none. */
  static synchronized Open take(Key key) {
    Idle idle = IDLE.remove(key);
    return idle == null ? null : idle.open;
  }

  /** Keeps a replica for the next round; after some minutes without one it is closed. */
  static void give(Key key, Open open) {
    List<Open> old = new ArrayList<>();
    synchronized (ExecutorReplicas.class) {
      if (closer == null) {
        closer =
            Executors.newSingleThreadScheduledExecutor(
                task -> {
                  Thread thread = new Thread(task, "mlp-cuda-idle-replicas");
                  thread.setDaemon(true); // an executor must be able to end
                  return thread;
                });
        closer.scheduleWithFixedDelay(ExecutorReplicas::closeIdle, 1, 1, TimeUnit.MINUTES);
      }
      // Two attempts of one task may have had a replica each.
      Idle former = IDLE.put(key, new Idle(open, System.nanoTime()));
      if (former != null) {
        old.add(former.open);
      }
      Iterator<Idle> first = IDLE.values().iterator();
      while (IDLE.size() > MOST) {
        old.add(first.next().open);
        first.remove();
      }
    }
    old.forEach(Open::close);
  }

  private static void closeIdle() {
    List<Open> old = new ArrayList<>();
    synchronized (ExecutorReplicas.class) {
      long now = System.nanoTime();
      IDLE.values()
          .removeIf(
              idle -> {
                boolean expired = now - idle.since > IDLE_NANOS;
                if (expired) {
                  old.add(idle.open);
                }
                return expired;
              });
    }
    old.forEach(Open::close);
  }
}
