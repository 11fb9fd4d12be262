package mlpcuda.compute.cuda;

import java.nio.ByteBuffer;
import mlpcuda.compute.Precision;

/**
 * The one seam to native calls: what a trainer needs of CUDA's driver API, on one device.
 *
 * <p>Streams, events, modules, functions and graphs are the driver's handles as longs, never 0;
 * addresses are bytes of the device. Streams are non-blocking. What takes a stream returns before
 * it is done, and happens after all that was asked of that stream before; a failure of it may be
 * thrown by any later call. One thread, the one that opened the driver, makes all calls.
 *
 * @see <a href="https://docs.nvidia.com/cuda/cuda-driver-api/">CUDA Driver API</a>
 */
public interface CudaDriver extends AutoCloseable {
  /**
   * What a device is.
   *
   * @param index as CUDA counts, CUDA_VISIBLE_DEVICES honoured
   * @param major with {@code minor}: its compute capability
   * @param memory bytes in all
   * @param multiprocessors how many blocks run side by side at least
   * @param driver the newest CUDA that the driver can do: 12060 is 12.6
   */
  record Device(
      int index, String name, int major, int minor, long memory, int multiprocessors, int driver) {
    /** One line for people. */
    public String describe() {
      return "GPU %d: %s, compute capability %d.%d, %s, driver for %s"
          .formatted(index, name, major, minor, size(memory), driverVersion());
    }

    /** The newest CUDA that the driver can do: CUDA 12.6. */
    public String driverVersion() {
      return "CUDA %d.%d".formatted(driver / 1000, driver % 1000 / 10);
    }

    /** Bytes in the largest unit that leaves a whole number before the point. */
    public static String size(long bytes) {
      String[] units = {"bytes", "KiB", "MiB", "GiB", "TiB"};
      int unit = 0;
      double size = bytes;
      while (size >= 1024 && unit < units.length - 1) {
        size /= 1024;
        unit++;
      }
      return unit == 0 ? bytes + " bytes" : "%.1f %s".formatted(size, units[unit]);
    }
  }

  /**
   * Page-locked memory of the host, which the device copies from and to by itself.
   *
   * @param address for the driver
   * @param bytes the memory, in the host's byte order
   */
  record Pinned(long address, ByteBuffer bytes) {}

  /** How many threads a launch has: blocks of the grid, threads of a block. */
  record Shape(int gridX, int gridY, int gridZ, int blockX, int blockY) {
    /** {@code grid} blocks of {@code block} threads. */
    public static Shape of(int grid, int block) {
      return new Shape(grid, 1, 1, block, 1);
    }
  }

  /** The device that all calls go to. */
  Device device();

  // ---- memory ----

  /** Bytes that are free on the device now. */
  long freeMemory();

  /** {@code bytes} of the device, their content undefined. */
  long allocate(long bytes);

  /** Gives back what {@link #allocate} gave, after all that was asked of it is done. */
  void free(long address);

  /** {@code bytes} of page-locked memory. */
  Pinned allocatePinned(int bytes);

  /** Gives back what {@link #allocatePinned} gave, after all that was asked of it is done. */
  void freePinned(Pinned pinned);

  /** Copies the bytes {@code from} … {@code from + bytes − 1} of {@code pinned} to {@code to}. */
  void copyToDevice(long to, Pinned pinned, int from, int bytes, long stream);

  /** Copies {@code bytes} at {@code from} to the start of {@code pinned}. */
  void copyToHost(Pinned pinned, long from, int bytes, long stream);

  /** Sets {@code bytes} at {@code to} to zero. */
  void zero(long to, long bytes, long stream);

  // ---- streams and events ----

  /** A stream that does not wait for the default one. */
  long createStream();

  /** Ends a stream, after all that was asked of it is done. */
  void destroyStream(long stream);

  /** Waits until all that was asked of the stream is done. */
  void synchronizeStream(long stream);

  /** An event, not recorded yet: whoever waits for it does not wait. */
  long createEvent();

  /** Ends an event, after all that waits for it is done. */
  void destroyEvent(long event);

  /** The event is: all that was asked of the stream until now is done. */
  void record(long event, long stream);

  /** What is asked of the stream from now on waits for the event as it was recorded last. */
  void await(long stream, long event);

  /** Waits on the host for the event as it was recorded last. */
  void synchronizeEvent(long event);

  // ---- kernels ----

  /** Loads a module from the text of its PTX. */
  long loadModule(String name, String ptx);

  /** Gives a module back. */
  void unloadModule(long module);

  /** The entry of that name of a module; valid as long as the module. */
  long function(long module, String entry);

  /** Launches a kernel. */
  void launch(long function, Shape shape, Arguments arguments, long stream);

  // ---- graphs ----

  /** From now on what is asked of the stream is recorded instead of done. */
  void beginCapture(long stream);

  /** Ends the recording: a graph that can be launched. */
  long endCapture(long stream);

  /** Number of nodes of a graph. */
  int nodes(long graph);

  /** Does all that was recorded, with the arguments of then. */
  void launchGraph(long graph, long stream);

  /** Ends a graph that is not running any more. */
  void destroyGraph(long graph);

  // ---- cuBLAS ----

  /**
   * Opens cuBLAS for one stream, with a workspace of its own, so that it can be recorded and gives
   * the same bits each time.
   *
   * @param precision of the products' operands
   * @throws mlpcuda.compute.DeviceException where it is not found, with the file names that were
   *     looked for
   */
  Blas openBlas(long stream, Precision precision);

  // ---- cuDNN ----

  /**
   * Opens cuDNN for one stream.
   *
   * @throws mlpcuda.compute.DeviceException where it is not found, with the file names that were
   *     looked for, or does not start
   */
  Dnn openDnn(long stream);

  /** Gives the device's context back. Throws a failure that nobody waited for. */
  @Override
  void close();
}
