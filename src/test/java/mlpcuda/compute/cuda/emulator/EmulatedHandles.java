package mlpcuda.compute.cuda.emulator;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import mlpcuda.compute.cuda.ptx.Fault;

/** The driver's handles, and the resources that they name. */
final class EmulatedHandles {
  private final EmulatedQueue queue;
  private final Map<Long, EmulatedResource> handles = new LinkedHashMap<>();
  private long last = 0x1000;

  EmulatedHandles(EmulatedQueue queue) {
    this.queue = queue;
  }

  /** Adds a resource, and returns a handle that no other ever had. */
  long add(EmulatedResource resource) {
    last += 0x10;
    handles.put(last, resource);
    return last;
  }

  /** The resource of a handle; {@link Fault} unless it is live and of that type. */
  <T extends EmulatedResource> T find(long handle, Class<T> type) {
    EmulatedResource found = handles.get(handle);
    if (found == null) {
      throw new Fault("0x%x is no handle, or one given back".formatted(handle));
    }
    if (!type.isInstance(found)) {
      throw new Fault("%s is no %s".formatted(found, type.getSimpleName().replace("Emulated", "")));
    }
    return type.cast(found);
  }

  /**
   * Releases a resource; {@link Fault} if it was released before, or if an operation still needs
   * it.
   */
  void release(EmulatedResource resource) {
    if (!resource.live()) {
      throw new Fault("%s was given back before".formatted(resource));
    }
    queue.checkUnneeded(resource);
    resource.end();
    handles
        .values()
        .removeIf(
            other ->
                other == resource
                    || other instanceof EmulatedLaunch.Function function
                        && function.module() == resource);
  }

  /** The resources that were not released. */
  List<EmulatedResource> left() {
    return handles.values().stream()
        .filter(resource -> !(resource instanceof EmulatedLaunch.Function))
        .toList();
  }
}
