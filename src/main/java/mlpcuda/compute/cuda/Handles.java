package mlpcuda.compute.cuda;

import java.util.HashMap;
import java.util.Map;
import java.util.function.Predicate;
import jcuda.NativePointerObject;

/**
 * JCuda's objects by the handles in them: its calls take objects, and the seam has longs. What is
 * not open any more is not found, before the driver could crash on it.
 */
final class Handles<T extends NativePointerObject> {
  private final String kind;
  private final Map<Long, T> open = new HashMap<>();

  /** {@code kind}: for messages, as {@code stream}. */
  Handles(String kind) {
    this.kind = kind;
  }

  /** Keeps an object; its handle. */
  long add(long handle, T object) {
    open.put(handle, object);
    return handle;
  }

  /** The object of a handle. */
  T get(long handle) {
    return known(handle, open.get(handle));
  }

  /** The object of a handle, which is unknown from now on. */
  T remove(long handle) {
    return known(handle, open.remove(handle));
  }

  private T known(long handle, T object) {
    if (object == null) {
      throw new IllegalStateException("the %s must be open, found 0x%x".formatted(kind, handle));
    }
    return object;
  }

  /** Forgets those that {@code which} is true of. */
  void removeIf(Predicate<T> which) {
    open.values().removeIf(which);
  }

  /** Forgets all. */
  void clear() {
    open.clear();
  }
}
