package mlpcuda.compute.cuda;

import java.util.HashMap;
import java.util.Map;
import java.util.function.Predicate;
import jcuda.NativePointerObject;

/**
 * JCuda's objects by their native handles: JCuda's calls take objects, and {@link CudaDriver} has
 * longs. A handle that is closed is refused here, as the driver could crash on it.
 */
final class Handles<T extends NativePointerObject> {
  private final String kind;
  private final Map<Long, T> open = new HashMap<>();

  /** {@code kind} names the objects in messages, as {@code stream}. */
  Handles(String kind) {
    this.kind = kind;
  }

  /** Keeps an object, and returns its handle. */
  long add(long handle, T object) {
    open.put(handle, object);
    return handle;
  }

  /** The object of a handle. */
  T get(long handle) {
    return known(handle, open.get(handle));
  }

  /** Forgets a handle, and returns its object. */
  T remove(long handle) {
    return known(handle, open.remove(handle));
  }

  private T known(long handle, T object) {
    if (object == null) {
      throw new IllegalStateException("the %s must be open, found 0x%x".formatted(kind, handle));
    }
    return object;
  }

  /** Forgets the objects for which {@code which} is true. */
  void removeIf(Predicate<T> which) {
    open.values().removeIf(which);
  }

  /** Forgets all objects. */
  void clear() {
    open.clear();
  }
}
