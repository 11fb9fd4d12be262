package mlpcuda.compute.cuda.emulator;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import mlpcuda.compute.Precision;
import mlpcuda.compute.cuda.Arguments;
import mlpcuda.compute.cuda.Blas;
import mlpcuda.compute.cuda.CudaDriver;
import mlpcuda.compute.cuda.Dnn;
import mlpcuda.compute.cuda.GpuProperties;
import mlpcuda.compute.cuda.ModuleImage;
import mlpcuda.compute.cuda.ptx.Fault;
import mlpcuda.error.DeviceException;

/**
 * A device in software: it runs PTX, does the work of streams when its policy says so, and throws a
 * {@link Fault} for an error of the caller that a real device would not report. Whether an error is
 * found does not depend on the policy: an operation counts as pending until the host has waited for
 * it, whenever it ran, and two streams race for an allocation unless events or the host put them in
 * order.
 */
public final class EmulatedDriver implements CudaDriver {
  private static final int DRIVER = 12060;

  private final EmulatedOptions options;
  private final EmulatedCalls calls = new EmulatedCalls();
  private final EmulatedQueue queue;
  private final EmulatedMemory memory;
  private final EmulatedHandles handles;
  private final EmulatedOccupancy occupancy;
  private final EmulatedModules modules;
  private final EmulatedLaunches launches;
  private final EmulatedGraphs graphs;
  private int events;

  /** A device with the default options and that policy. */
  public EmulatedDriver(EmulatedPolicy policy) {
    this(EmulatedOptions.of(policy));
  }

  /** A device with those options. */
  public EmulatedDriver(EmulatedOptions options) {
    this.options = options;
    this.queue = new EmulatedQueue(options.policy(), calls);
    this.memory = new EmulatedMemory(options.memory());
    this.handles = new EmulatedHandles(queue);
    this.occupancy = EmulatedOccupancy.of(options.major());
    this.modules = new EmulatedModules(calls, queue, handles);
    this.graphs = new EmulatedGraphs(calls, queue, handles);
    this.launches = new EmulatedLaunches(options, calls, queue, memory, handles);
  }

  // ---- for tests ----

  /** The number of times that each entry ran, in all emulated devices of this process. */
  public static Map<String, Integer> launches() {
    return new TreeMap<>(EmulatedLaunch.COUNTS);
  }

  /** The number of calls of each function of CUDA, as {@code cuGraphLaunch}. */
  public Map<String, Integer> calls() {
    return calls.counts();
  }

  /** The number of operations enqueued on all streams, each node of a launched graph included. */
  public long operations() {
    return queue.operations();
  }

  /** The number of operations that are enqueued on all streams and not done yet. */
  public int pending() {
    return queue.pending();
  }

  /**
   * Makes the next call of that name throw, and all calls after it if CUDA's context is lost then.
   */
  public void failNext(String call, int code, String name, String text) {
    calls.failNext(call, new EmulatedFailure(code, name, text));
  }

  /** Makes each load of machine code fail. */
  public void refuseCubins(int code, String name, String text) {
    modules.refuseCubins(new EmulatedFailure(code, name, text));
  }

  /** The modules that were loaded, in order, as {@code layers} or {@code layers as PTX}. */
  public List<String> modules() {
    return modules.loaded();
  }

  /**
   * Makes the next kernel that is launched, alone or in a graph, fail; a synchronization shows it.
   */
  public void failNextLaunchLater(int code, String name, String text) {
    queue.failNextLaunch(new EmulatedFailure(code, name, text));
  }

  private EmulatedStream stream(long handle) {
    return handles.find(handle, EmulatedStream.class);
  }

  // ---- CudaDriver ----

  @Override
  public GpuProperties device() {
    return new GpuProperties(
        0,
        "Emulated GPU",
        new GpuProperties.Capability(options.major(), 0),
        options.memory(),
        new GpuProperties.Multiprocessors(options.multiprocessors(), occupancy.blockShared(), true),
        new GpuProperties.CudaVersion(DRIVER));
  }

  @Override
  public long freeMemory() {
    return calls.call("cuMemGetInfo", memory::free);
  }

  @Override
  public long allocate(long bytes) {
    return calls.call(
        "cuMemAlloc",
        () -> {
          queue.checkNotCapturing();
          if (bytes <= 0) {
            throw calls.failure(EmulatedFailure.INVALID_VALUE);
          }
          if (bytes > memory.free()) {
            throw calls.failure(EmulatedFailure.OUT_OF_MEMORY);
          }
          return memory.allocate(bytes);
        });
  }

  @Override
  public void free(long address) {
    calls.run(
        "cuMemFree",
        () -> {
          queue.checkNotCapturing();
          EmulatedMemory.Allocation allocation = memory.startingAt(address);
          queue.checkUnneeded(allocation);
          memory.free(allocation);
        });
  }

  @Override
  public Pinned allocatePinned(int bytes) {
    return calls.call(
        "cuMemAllocHost",
        () -> {
          queue.checkNotCapturing();
          if (bytes <= 0) {
            throw calls.failure(EmulatedFailure.INVALID_VALUE);
          }
          return memory.allocatePinned(bytes);
        });
  }

  @Override
  public void freePinned(Pinned pinned) {
    calls.run(
        "cuMemFreeHost",
        () -> {
          queue.checkNotCapturing();
          EmulatedPinned found = memory.find(pinned);
          queue.checkUnneeded(found);
          memory.freePinned(found);
        });
  }

  @Override
  public void copyToDevice(long to, Pinned pinned, int from, int bytes, long stream) {
    calls.run(
        "cuMemcpyHtoDAsync",
        () -> {
          EmulatedPinned found = memory.find(pinned);
          found.checkRange(from, bytes);
          EmulatedMemory.Allocation in = memory.holding(to, bytes);
          queue.ask(
              stream(stream),
              () -> new EmulatedPinned.CopyToDevice(memory, in, to, found, from, bytes));
        });
  }

  @Override
  public void copyToHost(Pinned pinned, long from, int bytes, long stream) {
    calls.run(
        "cuMemcpyDtoHAsync",
        () -> {
          EmulatedPinned found = memory.find(pinned);
          found.checkRange(0, bytes);
          EmulatedMemory.Allocation in = memory.holding(from, bytes);
          queue.ask(
              stream(stream), () -> new EmulatedPinned.CopyToHost(memory, found, in, from, bytes));
        });
  }

  @Override
  public void zero(long to, long bytes, long stream) {
    calls.run(
        "cuMemsetD8Async",
        () -> {
          EmulatedMemory.Allocation in = memory.holding(to, bytes);
          queue.ask(stream(stream), () -> new EmulatedMemory.Zero(memory.bytes(), in, to, bytes));
        });
  }

  @Override
  public long createStream() {
    return calls.call("cuStreamCreate", () -> handles.add(queue.createStream()));
  }

  @Override
  public void destroyStream(long stream) {
    calls.run("cuStreamDestroy", () -> handles.release(stream(stream).notCapturing()));
  }

  @Override
  public void synchronizeStream(long stream) {
    calls.run(
        "cuStreamSynchronize",
        () -> {
          EmulatedStream found = stream(stream);
          queue.checkNotCapturing();
          queue.synchronize(found.last());
        });
  }

  @Override
  public long createEvent() {
    return calls.call("cuEventCreate", () -> handles.add(new EmulatedEvent(++events)));
  }

  @Override
  public void destroyEvent(long event) {
    calls.run("cuEventDestroy", () -> handles.release(handles.find(event, EmulatedEvent.class)));
  }

  @Override
  public void record(long event, long stream) {
    calls.run(
        "cuEventRecord",
        () -> {
          EmulatedEvent found = handles.find(event, EmulatedEvent.class);
          EmulatedOperation recorded = new EmulatedEvent.Marker("record of", found);
          queue.ask(recorded, stream(stream).notCapturing(), null);
          found.recorded(recorded);
        });
  }

  @Override
  public void await(long stream, long event) {
    calls.run(
        "cuStreamWaitEvent",
        () -> {
          EmulatedEvent found = handles.find(event, EmulatedEvent.class);
          EmulatedOperation awaited = new EmulatedEvent.Marker("wait for", found);
          queue.ask(awaited, stream(stream).notCapturing(), found.recorded());
        });
  }

  @Override
  public void synchronizeEvent(long event) {
    calls.run(
        "cuEventSynchronize",
        () -> {
          EmulatedEvent found = handles.find(event, EmulatedEvent.class);
          queue.checkNotCapturing();
          queue.synchronize(found.recorded());
        });
  }

  @Override
  public boolean isDone(long event) {
    return calls.call(
        "cuEventQuery",
        () -> {
          EmulatedEvent found = handles.find(event, EmulatedEvent.class);
          queue.checkNotCapturing();
          return queue.isDone(found.recorded());
        });
  }

  @Override
  public long loadModule(ModuleImage image) {
    return modules.load(image, device());
  }

  @Override
  public void unloadModule(long module) {
    modules.unload(module);
  }

  @Override
  public long function(long module, String entry) {
    return modules.function(module, entry);
  }

  @Override
  public void launch(long function, Shape shape, Arguments arguments, long stream) {
    launches.launch(function, shape, arguments, stream);
  }

  @Override
  public int residentBlocks(long function, int threads, int sharedBytes) {
    return launches.residentBlocks(function, threads, sharedBytes);
  }

  @Override
  public void launchCooperative(
      long function, Shape shape, int sharedBytes, Arguments arguments, long stream) {
    launches.launchCooperative(function, shape, sharedBytes, arguments, stream);
  }

  @Override
  public void beginCapture(long stream) {
    graphs.beginCapture(stream);
  }

  @Override
  public long endCapture(long stream) {
    return graphs.endCapture(stream);
  }

  @Override
  public int nodes(long graph) {
    return graphs.nodes(graph);
  }

  @Override
  public void launchGraph(long graph, long stream) {
    graphs.launch(graph, stream);
  }

  @Override
  public void destroyGraph(long graph) {
    graphs.destroy(graph);
  }

  @Override
  public Blas openBlas(long stream, Precision precision) {
    return calls.call(
        "cublasCreate",
        () -> {
          EmulatedStream found = stream(stream);
          queue.checkNotCapturing();
          if (!options.cublas()) {
            throw new DeviceException(
                "cuBLAS 12 was not found: this device is emulated without it",
                "Emulate it with cuBLAS, or use the program's own products");
          }
          EmulatedBlas made = new EmulatedBlas(found, precision, calls, memory, queue, handles);
          handles.add(made);
          return made;
        });
  }

  @Override
  public Dnn openDnn(long stream) {
    return calls.call(
        "cudnnCreate",
        () -> {
          EmulatedStream found = stream(stream);
          queue.checkNotCapturing();
          if (!options.cudnn()) {
            throw new DeviceException(
                "cuDNN 9 was not found: this device is emulated without it",
                "Emulate it with cuDNN, or use the program's own kernels");
          }
          EmulatedDnn made = new EmulatedDnn(found, calls, memory, queue, handles);
          handles.add(made);
          return made;
        });
  }

  @Override
  public void close() {
    try {
      calls.run("cuDevicePrimaryCtxRelease", this::checkNothingLeft);
    } finally {
      calls.close();
    }
  }

  private void checkNothingLeft() {
    queue.drain();
    List<EmulatedResource> left = new ArrayList<>(memory.left());
    left.addAll(handles.left());
    if (!left.isEmpty()) {
      throw new Fault(
          left.stream()
              .map(EmulatedResource::toString)
              .collect(Collectors.joining(", ", "not given back: ", "")));
    }
  }
}
