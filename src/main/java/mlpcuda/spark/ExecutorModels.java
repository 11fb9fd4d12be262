package mlpcuda.spark;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import mlpcuda.Device;
import mlpcuda.Model;

/**
 * The networks that this process, an executor or the driver, answers with. Its tasks share a
 * device, those with the same GPU of Spark's if it assigns them. A device stays open until the
 * process ends, and each network is put on it once. The few networks that were asked last stay
 * there.
 */
final class ExecutorModels {
  /** The networks that stay on the device. */
  private static final int MOST = 4;

  private static final Map<Place, Device> DEVICES = new LinkedHashMap<>();
  private static final Map<Key, Shared> MODELS = new LinkedHashMap<>(16, 0.75f, true);

  private ExecutorModels() {}

  /**
   * Where a task computes.
   *
   * @param gpu the number of the GPU that Spark assigned to the task
   */
  private record Place(DeviceChoice device, OptionalInt gpu) {}

  private record Key(String model, Place place) {}

  /** A model with the number of tasks that use it: a model is closed when none does. */
  private static final class Shared {
    private final Model model;
    private int users;
    private boolean evicted;

    Shared(Model model) {
      this.model = model;
    }
  }

  /** The right to use a model, which the caller closes. */
  static final class Lease implements AutoCloseable {
    private final Shared shared;

    private Lease(Shared shared) {
      this.shared = shared;
    }

    Model model() {
      return shared.model;
    }

    @Override
    public void close() {
      synchronized (ExecutorModels.class) {
        shared.users--;
        if (shared.evicted && shared.users == 0) {
          shared.model.close();
        }
      }
    }
  }

  /** The network of that file on the device, put there unless it is there already. */
  static synchronized Lease lease(ModelBytes file, DeviceChoice choice) {
    var place = new Place(choice, choice.gpu());
    Device device = DEVICES.computeIfAbsent(place, of -> of.device.open());
    Shared shared =
        MODELS.computeIfAbsent(
            new Key(file.digest(), place), key -> new Shared(file.network().on(device)));
    shared.users++;
    evict();
    return new Lease(shared);
  }

  private static void evict() {
    List<Key> keys = new ArrayList<>(MODELS.keySet()); // the one asked last is the last
    for (Key key : keys.subList(0, Math.max(0, keys.size() - MOST))) {
      Shared old = MODELS.remove(key);
      old.evicted = true;
      if (old.users == 0) {
        old.model.close();
      }
    }
  }
}
