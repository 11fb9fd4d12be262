package mlpcuda.compute.cuda;

import static jcuda.driver.CUevent_flags.CU_EVENT_DISABLE_TIMING;
import static jcuda.driver.CUjit_option.CU_JIT_ERROR_LOG_BUFFER;
import static jcuda.driver.CUjit_option.CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES;
import static jcuda.driver.CUresult.CUDA_ERROR_NOT_READY;
import static jcuda.driver.CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL;
import static jcuda.driver.CUstream_flags.CU_STREAM_NON_BLOCKING;
import static jcuda.driver.JCudaDriver.cuCtxSetCurrent;
import static jcuda.driver.JCudaDriver.cuDevicePrimaryCtxRelease;
import static jcuda.driver.JCudaDriver.cuDevicePrimaryCtxRetain;
import static jcuda.driver.JCudaDriver.cuEventCreate;
import static jcuda.driver.JCudaDriver.cuEventDestroy;
import static jcuda.driver.JCudaDriver.cuEventQuery;
import static jcuda.driver.JCudaDriver.cuEventRecord;
import static jcuda.driver.JCudaDriver.cuEventSynchronize;
import static jcuda.driver.JCudaDriver.cuGraphDestroy;
import static jcuda.driver.JCudaDriver.cuGraphExecDestroy;
import static jcuda.driver.JCudaDriver.cuGraphGetNodes;
import static jcuda.driver.JCudaDriver.cuGraphInstantiate;
import static jcuda.driver.JCudaDriver.cuGraphLaunch;
import static jcuda.driver.JCudaDriver.cuMemAlloc;
import static jcuda.driver.JCudaDriver.cuMemAllocHost;
import static jcuda.driver.JCudaDriver.cuMemFree;
import static jcuda.driver.JCudaDriver.cuMemFreeHost;
import static jcuda.driver.JCudaDriver.cuMemGetInfo;
import static jcuda.driver.JCudaDriver.cuMemcpyDtoHAsync;
import static jcuda.driver.JCudaDriver.cuMemcpyHtoDAsync;
import static jcuda.driver.JCudaDriver.cuMemsetD8Async;
import static jcuda.driver.JCudaDriver.cuModuleGetFunction;
import static jcuda.driver.JCudaDriver.cuModuleLoadDataJIT;
import static jcuda.driver.JCudaDriver.cuModuleUnload;
import static jcuda.driver.JCudaDriver.cuStreamBeginCapture;
import static jcuda.driver.JCudaDriver.cuStreamCreate;
import static jcuda.driver.JCudaDriver.cuStreamDestroy;
import static jcuda.driver.JCudaDriver.cuStreamEndCapture;
import static jcuda.driver.JCudaDriver.cuStreamSynchronize;
import static jcuda.driver.JCudaDriver.cuStreamWaitEvent;
import static mlpcuda.compute.cuda.CudaDevices.check;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Objects;
import jcuda.Pointer;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.CUgraph;
import jcuda.driver.JITOptions;
import mlpcuda.compute.Precision;
import mlpcuda.compute.Resources;
import mlpcuda.compute.cuda.JCudaObjects.Address;
import mlpcuda.compute.cuda.JCudaObjects.Event;
import mlpcuda.compute.cuda.JCudaObjects.Function;
import mlpcuda.compute.cuda.JCudaObjects.Graph;
import mlpcuda.compute.cuda.JCudaObjects.HostAddress;
import mlpcuda.compute.cuda.JCudaObjects.Module;
import mlpcuda.compute.cuda.JCudaObjects.Stream;

/** CUDA's driver API on one device, by JCuda. */
public final class JCudaDriver implements CudaDriver {
  private static final int LOG_BYTES = 8192;

  private final GpuProperties device;
  private final Natives natives;
  private final CUdevice handle;
  private final Handles<Stream> streams = new Handles<>("stream");
  private final Handles<Event> events = new Handles<>("event");
  private final Handles<Module> modules = new Handles<>("module");
  private final Handles<Function> functions = new Handles<>("function");
  private final Handles<Graph> graphs = new Handles<>("graph");

  private final Resources resources = new Resources();
  private final JCudaLaunches launches;
  private boolean closed;

  /**
   * Opens a device for the calling thread.
   *
   * @param index from 0 on, as CUDA counts, CUDA_VISIBLE_DEVICES honoured
   * @param natives the folder that JCuda's libraries are unpacked below
   * @throws mlpcuda.error.DeviceException if the device cannot be used
   */
  public static JCudaDriver open(int index, Path natives) {
    if (index < 0) {
      throw new IllegalArgumentException("a device's index must be at least 0, found " + index);
    }
    var libraries = new Natives(natives);
    CudaDevices.start(libraries);
    GpuProperties device;
    try {
      device = CudaDevices.usable(index);
    } catch (CudaException e) {
      throw GpuProblem.ofDriver(e, Surroundings.here()).exception(e);
    }
    try {
      return new JCudaDriver(device, libraries);
    } catch (CudaException e) {
      throw GpuProblem.noContext(device, e).exception(e);
    }
  }

  private JCudaDriver(GpuProperties device, Natives natives) {
    this.device = device;
    this.natives = natives;
    handle = CudaDevices.handle(device.index());
    var context = new CUcontext();
    // The primary context: the one that cuBLAS and cuDNN use.
    check("cuDevicePrimaryCtxRetain", cuDevicePrimaryCtxRetain(context, handle));
    // The context stays current after its release: another driver of this thread may share it.
    resources.add(() -> check("cuDevicePrimaryCtxRelease", cuDevicePrimaryCtxRelease(handle)));
    try {
      check("cuCtxSetCurrent", cuCtxSetCurrent(context));
      Pinned slots = allocatePinned(JCudaLaunches.SLOT_BYTES);
      resources.add(() -> freePinned(slots.address()));
      launches = new JCudaLaunches(slots);
    } catch (RuntimeException | Error e) {
      resources.closeAfter(e);
      throw e;
    }
  }

  @Override
  public GpuProperties device() {
    return device;
  }

  // ---- memory ----

  @Override
  public long freeMemory() {
    requireOpen();
    long[] free = new long[1];
    check("cuMemGetInfo", cuMemGetInfo(free, new long[1]));
    return free[0];
  }

  @Override
  public long allocate(long bytes) {
    requireOpen();
    var memory = new Address(0);
    check("cuMemAlloc", cuMemAlloc(memory, bytes));
    return memory.value();
  }

  @Override
  public void free(long address) {
    requireOpen();
    check("cuMemFree", cuMemFree(new Address(address)));
  }

  @Override
  public Pinned allocatePinned(int bytes) {
    requireOpen();
    var memory = new HostAddress(0);
    check("cuMemAllocHost", cuMemAllocHost(memory, bytes));
    return new Pinned(memory.value(), memory.getByteBuffer());
  }

  /**
   * Frees the memory. Its {@code ByteBuffer} must not be touched afterwards: the memory is gone.
   */
  @Override
  public void freePinned(Pinned pinned) {
    requireOpen();
    freePinned(pinned.address());
  }

  private static void freePinned(long address) {
    check("cuMemFreeHost", cuMemFreeHost(new HostAddress(address)));
  }

  @Override
  public void copyToDevice(long to, Pinned pinned, int from, int bytes, long stream) {
    Objects.checkFromIndexSize(from, bytes, pinned.bytes().capacity());
    check(
        "cuMemcpyHtoDAsync",
        cuMemcpyHtoDAsync(
            new Address(to), new HostAddress(pinned.address() + from), bytes, streams.get(stream)));
  }

  @Override
  public void copyToHost(Pinned pinned, long from, int bytes, long stream) {
    Objects.checkFromIndexSize(0, bytes, pinned.bytes().capacity());
    check(
        "cuMemcpyDtoHAsync",
        cuMemcpyDtoHAsync(
            new HostAddress(pinned.address()), new Address(from), bytes, streams.get(stream)));
  }

  @Override
  public void zero(long to, long bytes, long stream) {
    check(
        "cuMemsetD8Async", cuMemsetD8Async(new Address(to), (byte) 0, bytes, streams.get(stream)));
  }

  // ---- streams and events ----

  @Override
  public long createStream() {
    requireOpen();
    var stream = new Stream();
    check("cuStreamCreate", cuStreamCreate(stream, CU_STREAM_NON_BLOCKING));
    return streams.add(stream.value(), stream);
  }

  @Override
  public void destroyStream(long stream) {
    check("cuStreamDestroy", cuStreamDestroy(streams.remove(stream)));
  }

  @Override
  public void synchronizeStream(long stream) {
    check("cuStreamSynchronize", cuStreamSynchronize(streams.get(stream)));
  }

  @Override
  public long createEvent() {
    requireOpen();
    var event = new Event();
    check("cuEventCreate", cuEventCreate(event, CU_EVENT_DISABLE_TIMING));
    return events.add(event.value(), event);
  }

  @Override
  public void destroyEvent(long event) {
    check("cuEventDestroy", cuEventDestroy(events.remove(event)));
  }

  @Override
  public void record(long event, long stream) {
    check("cuEventRecord", cuEventRecord(events.get(event), streams.get(stream)));
  }

  @Override
  public void await(long stream, long event) {
    check("cuStreamWaitEvent", cuStreamWaitEvent(streams.get(stream), events.get(event), 0));
  }

  @Override
  public void synchronizeEvent(long event) {
    check("cuEventSynchronize", cuEventSynchronize(events.get(event)));
  }

  @Override
  public boolean isDone(long event) {
    int found = cuEventQuery(events.get(event));
    if (found == CUDA_ERROR_NOT_READY) {
      return false;
    }
    check("cuEventQuery", found);
    return true;
  }

  // ---- kernels ----

  @Override
  public long loadModule(ModuleImage image) {
    requireOpen();
    boolean compiled = image.cubin().isPresent();
    byte[] code = image.cubin().orElseGet(() -> image.ptx().get().getBytes(StandardCharsets.UTF_8));
    // The code is in a direct buffer: for an array, JCuda would stop the garbage collector while
    // the driver compiles. A text ends with a 0.
    ByteBuffer buffer = ByteBuffer.allocateDirect(code.length + 1).put(code);
    var options = new JITOptions();
    options.putBytes(CU_JIT_ERROR_LOG_BUFFER, new byte[LOG_BYTES]);
    options.putInt(CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES, LOG_BYTES);
    var module = new Module();
    try {
      check(
          "cuModuleLoadDataEx", cuModuleLoadDataJIT(module, Pointer.to(buffer.rewind()), options));
    } catch (CudaException e) {
      if (compiled || !GpuProblem.isOfModule(e.code())) {
        throw e;
      }
      String log = options.getString(CU_JIT_ERROR_LOG_BUFFER).strip();
      throw GpuProblem.ofModule(image.name(), log.lines().findFirst().orElse(""), device, e)
          .exception(e);
    }
    return modules.add(module.value(), module);
  }

  @Override
  public void unloadModule(long module) {
    functions.removeIf(f -> f.module == module);
    check("cuModuleUnload", cuModuleUnload(modules.remove(module)));
  }

  @Override
  public long function(long module, String entry) {
    var function = new Function(module);
    check("cuModuleGetFunction", cuModuleGetFunction(function, modules.get(module), entry));
    return functions.add(function.value(), function);
  }

  @Override
  public void launch(long function, Shape shape, Arguments arguments, long stream) {
    launches.launch(functions.get(function), shape, arguments, streams.get(stream));
  }

  @Override
  public int residentBlocks(long function, int threads, int sharedBytes) {
    return device.multiprocessors().count()
        * launches.residentOnEach(functions.get(function), threads, sharedBytes);
  }

  @Override
  public void launchCooperative(
      long function, Shape shape, int sharedBytes, Arguments arguments, long stream) {
    launches.launchCooperative(
        functions.get(function), shape, sharedBytes, arguments, streams.get(stream));
  }

  // ---- graphs ----

  @Override
  public void beginCapture(long stream) {
    // The capture is this thread's alone: calls of another library in a thread of its own do not
    // end it.
    check(
        "cuStreamBeginCapture",
        cuStreamBeginCapture(streams.get(stream), CU_STREAM_CAPTURE_MODE_THREAD_LOCAL));
  }

  @Override
  public long endCapture(long stream) {
    var recorded = new CUgraph();
    check("cuStreamEndCapture", cuStreamEndCapture(streams.get(stream), recorded));
    var graph = new Graph();
    long[] nodes = new long[1];
    int counted = cuGraphGetNodes(recorded, null, nodes);
    int instantiated = cuGraphInstantiate(graph, recorded, 0);
    int destroyed = cuGraphDestroy(recorded);
    check("cuGraphInstantiate", instantiated);
    check("cuGraphGetNodes", counted);
    check("cuGraphDestroy", destroyed);
    graph.nodes = Math.toIntExact(nodes[0]);
    return graphs.add(graph.value(), graph);
  }

  @Override
  public int nodes(long graph) {
    return graphs.get(graph).nodes;
  }

  @Override
  public void launchGraph(long graph, long stream) {
    check("cuGraphLaunch", cuGraphLaunch(graphs.get(graph), streams.get(stream)));
  }

  @Override
  public void destroyGraph(long graph) {
    check("cuGraphExecDestroy", cuGraphExecDestroy(graphs.remove(graph)));
  }

  // ---- cuBLAS ----

  @Override
  public Blas openBlas(long stream, Precision precision) {
    return new Cublas(this, natives, streams.get(stream), precision);
  }

  // ---- cuDNN ----

  @Override
  public Dnn openDnn(long stream) {
    requireOpen();
    return new Cudnn(this, natives, streams.get(stream));
  }

  // ---- the end ----

  /** Waits for work that still runs. A second close throws, as does any call after it. */
  @Override
  public void close() {
    requireOpen();
    closed = true;
    streams.clear();
    events.clear();
    modules.clear();
    functions.clear();
    graphs.clear();
    resources.close();
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("the driver of GPU %d is closed".formatted(device.index()));
    }
  }
}
