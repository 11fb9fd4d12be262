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
import org.apache.spark.SparkEnv;
import org.apache.spark.storage.BroadcastBlockId;

/**
 * The replicas that this process, an executor, keeps between two rounds, because a device and the
 * rows on it cost more to open than a round may take. No result depends on it: a replica that is
 * not here is opened anew. Whoever takes a replica has it alone, and gives it back or closes it.
 */
final class ExecutorReplicas {
  private static final System.Logger LOG = System.getLogger("mlpcuda");

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

  /**
   * A replica with the device that it has for itself.
   *
   * @param setup the number of the broadcast that it was opened with
   */
  record Open(Device device, Replica replica, long setup) implements AutoCloseable {
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

  /** Keeps a replica for the next round; if there is none, the replica is closed. */
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
        closer.scheduleWithFixedDelay(ExecutorReplicas::closeUseless, 1, 1, TimeUnit.SECONDS);
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
    close(old);
  }

  /** The number of replicas that nobody uses. */
  static synchronized int idle() {
    return IDLE.size();
  }

  /**
   * Closes the replicas whose training is over, however it ended, and those that no round wanted
   * for some minutes. Whoever opens a replica does so before, because the devices' memory may be
   * full.
   */
  static void closeUseless() {
    List<Open> old = new ArrayList<>();
    synchronized (ExecutorReplicas.class) {
      long now = System.nanoTime();
      IDLE.values()
          .removeIf(
              idle -> {
                boolean useless = now - idle.since > IDLE_NANOS || isOver(idle.open.setup);
                if (useless) {
                  old.add(idle.open);
                }
                return useless;
              });
    }
    close(old);
  }

  /**
   * Whether the training of that setup is over. The driver destroys the setup at the end of a
   * training that is done, failed or was cancelled, and Spark then takes it from all executors. No
   * task has to run for that, which might wait for a free core for long.
   */
  private static boolean isOver(long setup) {
    SparkEnv env = SparkEnv.get(); // null: the application is over
    return env == null || env.blockManager().getStatus(new BroadcastBlockId(setup, "")).isEmpty();
  }

  /** A device that fails to close must neither fail a round nor keep others from being closed. */
  private static void close(List<Open> replicas) {
    for (Open open : replicas) {
      try {
        open.close();
      } catch (RuntimeException e) {
        LOG.log(System.Logger.Level.WARNING, "A replica cannot be closed: {0}", e.getMessage());
      }
    }
  }
}
