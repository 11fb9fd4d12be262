package mlpcuda.compute.cuda;

import java.nio.ByteBuffer;
import mlpcuda.compute.Precision;

/**
 * The only seam to native calls: the part of CUDA's driver API that a trainer needs, on one device.
 *
 * <p>Streams, events, modules, functions and graphs are the driver's handles as longs, never 0;
 * addresses are bytes of the device. Streams are non-blocking. A call that takes a stream enqueues
 * its work there and returns before that is done, unless it says that it waits. The work runs after
 * all that was enqueued on the stream before; its failure may be thrown by any later call. One
 * thread, the one that opened the driver, makes all calls.
 *
 * @see <a href="https://docs.nvidia.com/cuda/cuda-driver-api/">CUDA Driver API</a>
 */
public interface CudaDriver extends AutoCloseable {
  /**
   * Page-locked memory of the host, which the device copies from and to by itself.
   *
   * @param address the address that calls of the driver take
   * @param bytes the memory, in the host's byte order
   */
  record Pinned(long address, ByteBuffer bytes) {}

  /** The shape of a launch: the blocks of its grid, and the threads of a block. */
  record Shape(int gridX, int gridY, int gridZ, int blockX, int blockY) {
    /** The shape of {@code grid} blocks of {@code block} threads. */
    public static Shape of(int grid, int block) {
      return new Shape(grid, 1, 1, block, 1);
    }

    /** The number of threads of a block. */
    public int threads() {
      return blockX * blockY;
    }
  }

  /** The device that all calls go to. */
  GpuProperties device();

  // ---- memory ----

  /** The number of bytes of the device that are free now. */
  long freeMemory();

  /** Allocates {@code bytes} of the device, their content undefined. */
  long allocate(long bytes);

  /** Frees memory of {@link #allocate}; no work that uses it may be left. */
  void free(long address);

  /** Allocates {@code bytes} of page-locked memory. */
  Pinned allocatePinned(int bytes);

  /** Frees memory of {@link #allocatePinned}; no work that uses it may be left. */
  void freePinned(Pinned pinned);

  /** Copies the bytes {@code from} … {@code from + bytes − 1} of {@code pinned} to {@code to}. */
  void copyToDevice(long to, Pinned pinned, int from, int bytes, long stream);

  /** Copies {@code bytes} at {@code from} to the start of {@code pinned}. */
  void copyToHost(Pinned pinned, long from, int bytes, long stream);

  /** Sets {@code bytes} at {@code to} to zero. */
  void zero(long to, long bytes, long stream);

  // ---- streams and events ----

  /** Creates a stream that does not wait for the default one. */
  long createStream();

  /** Destroys a stream, after all that was enqueued on it is done. */
  void destroyStream(long stream);

  /** Waits until all that was enqueued on the stream is done. */
  void synchronizeStream(long stream);

  /** Creates an event that is not recorded yet: a wait for it ends at once. */
  long createEvent();

  /** Destroys an event, after all that waits for it is done. */
  void destroyEvent(long event);

  /** Records an event, which happens when all that was enqueued on the stream until now is done. */
  void record(long event, long stream);

  /** Makes all that is enqueued on the stream from now on wait for the event's latest record. */
  void await(long stream, long event);

  /** Waits on the host for the event's latest record. */
  void synchronizeEvent(long event);

  /** Whether the event's latest record has happened, so that a wait for it ends at once. */
  boolean isDone(long event);

  // ---- kernels ----

  /**
   * Loads a module: its machine code if it has some, and otherwise its PTX, which the driver
   * compiles for the device first.
   *
   * @throws CudaException if the driver refuses the machine code
   * @throws mlpcuda.error.DeviceException if it cannot compile the PTX
   */
  long loadModule(ModuleImage image);

  /** Unloads a module. */
  void unloadModule(long module);

  /** Finds an entry of a module by its name; the handle is valid until the module is unloaded. */
  long function(long module, String entry);

  /** Launches a kernel. */
  void launch(long function, Shape shape, Arguments arguments, long stream);

  /**
   * The number of blocks of a kernel that the whole device holds at once, if nothing else runs
   * there: the most that {@link #launchCooperative} takes; 0 if it holds none.
   *
   * @param threads the threads of a block
   * @param sharedBytes the bytes of a block's dynamic shared memory, which with the static ones may
   *     be {@link GpuProperties.Multiprocessors#sharedBytes} at most
   */
  int residentBlocks(long function, int threads, int sharedBytes);

  /**
   * Launches a kernel with all its blocks live at once, so that they may wait for each other.
   *
   * @param sharedBytes the bytes of each block's dynamic shared memory
   * @throws CudaException with code {@link CudaException#COOPERATIVE_LAUNCH_TOO_LARGE} if it has
   *     more blocks than {@link #residentBlocks}
   */
  void launchCooperative(
      long function, Shape shape, int sharedBytes, Arguments arguments, long stream);

  // ---- graphs ----

  /** Begins a capture: work for the stream is from now on recorded instead of enqueued. */
  void beginCapture(long stream);

  /** Ends the capture and returns the recording, a graph that can be launched. */
  long endCapture(long stream);

  /** The number of nodes of a graph. */
  int nodes(long graph);

  /** Enqueues all that a graph recorded, with the arguments that it was recorded with. */
  void launchGraph(long graph, long stream);

  /** Destroys a graph that is not running any more. */
  void destroyGraph(long graph);

  // ---- cuBLAS ----

  /**
   * Opens cuBLAS for one stream, with a workspace of its own, so that it can be recorded and gives
   * the same bits each time.
   *
   * @param precision the precision of the products' operands
   * @throws mlpcuda.error.DeviceException if cuBLAS is not found, with the file names that were
   *     looked for
   */
  Blas openBlas(long stream, Precision precision);

  // ---- cuDNN ----

  /**
   * Opens cuDNN for one stream.
   *
   * @throws mlpcuda.error.DeviceException if cuDNN is not found, with the file names that were
   *     looked for, or does not start
   */
  Dnn openDnn(long stream);

  /** Releases the device's context, and throws a failure that no call has thrown yet. */
  @Override
  void close();
}
