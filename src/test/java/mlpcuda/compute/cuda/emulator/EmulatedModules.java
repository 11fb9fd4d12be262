package mlpcuda.compute.cuda.emulator;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import mlpcuda.compute.cuda.GpuProperties;
import mlpcuda.compute.cuda.ModuleImage;
import mlpcuda.compute.cuda.ptx.module.PtxModule;

/** The calls of the driver that load modules and find their entries. */
final class EmulatedModules {
  private static final Map<String, PtxModule> PARSED = new ConcurrentHashMap<>();

  private final EmulatedCalls calls;
  private final EmulatedQueue queue;
  private final EmulatedHandles handles;
  private final List<String> loaded = new ArrayList<>();
  private EmulatedFailure cubinsRefused; // null: machine code is loaded

  EmulatedModules(EmulatedCalls calls, EmulatedQueue queue, EmulatedHandles handles) {
    this.calls = calls;
    this.queue = queue;
    this.handles = handles;
  }

  /** Makes each load of machine code fail. */
  void refuseCubins(EmulatedFailure failure) {
    cubinsRefused = failure;
  }

  /** The modules that were loaded, in order, as {@code layers} or {@code layers as PTX}. */
  List<String> loaded() {
    return List.copyOf(loaded);
  }

  long load(ModuleImage image, GpuProperties device) {
    return calls.call(
        "cuModuleLoadDataEx",
        () -> {
          queue.checkNotCapturing();
          String name = image.name();
          PtxModule parsed =
              PARSED.computeIfAbsent(image.ptx().get(), text -> PtxModule.parse(name, text));
          if (image.cubin().isPresent()) {
            new EmulatedCubin(name, image.cubin().get()).check(device, parsed);
            if (cubinsRefused != null) {
              throw calls.failure(cubinsRefused);
            }
          }
          loaded.add(image.cubin().isEmpty() ? name + " as PTX" : name);
          return handles.add(new EmulatedLaunch.Module(name, parsed));
        });
  }

  void unload(long module) {
    calls.run(
        "cuModuleUnload",
        () -> {
          queue.checkNotCapturing();
          handles.release(module(module));
        });
  }

  long function(long module, String entry) {
    return calls.call(
        "cuModuleGetFunction",
        () -> {
          // The call loads the kernel, which drivers before CUDA 12.3 refuse during a capture.
          queue.checkNotCapturing();
          EmulatedLaunch.Module found = module(module);
          if (!found.ptx().entries().contains(entry)) {
            throw calls.failure(EmulatedFailure.NOT_FOUND);
          }
          return handles.add(new EmulatedLaunch.Function(found, entry));
        });
  }

  private EmulatedLaunch.Module module(long handle) {
    return handles.find(handle, EmulatedLaunch.Module.class);
  }
}
