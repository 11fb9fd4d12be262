package mlpcuda.compute.cuda;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import mlpcuda.compute.DeviceException;
import mlpcuda.compute.cuda.CudaDriver.Shape;

/** The entries of one module of PTX, launched on one stream. */
final class Kernels implements AutoCloseable {
  /** The threads of a block whose warps take a row of a matrix each. */
  private static final int ROW_THREADS = 256;

  /** The number of threads of a warp. */
  static final int WARP = 32;

  private final CudaDriver driver;
  private final long stream;
  private final boolean check;
  private final long module;
  private final Map<String, Long> functions = new HashMap<>();

  /**
   * Loads a module.
   *
   * @param name the name of the module, as {@code layers} for layers.ptx
   * @param check whether to wait after each launch, so that a failure is thrown by the launch that
   *     failed
   */
  Kernels(CudaDriver driver, long stream, String name, boolean check) {
    this.driver = driver;
    this.stream = stream;
    this.check = check;
    this.module = driver.loadModule(name, text(name + ".ptx"));
  }

  private static String text(String resource) {
    try (InputStream in = Kernels.class.getResourceAsStream(resource)) {
      if (in == null) {
        throw new IllegalStateException("the program lacks its kernels: no " + resource);
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException("the kernels could not be read: " + resource, e);
    }
  }

  /**
   * Launches an entry.
   *
   * @throws DeviceException that names the entry, its sizes and its threads
   */
  void launch(String entry, Shape shape, Arguments arguments) {
    launch(() -> driver.launch(function(entry), shape, arguments, stream), entry, shape, arguments);
  }

  /**
   * Launches an entry whose blocks all run at once.
   *
   * @param sharedBytes the bytes of each block's dynamic shared memory
   * @throws DeviceException as {@link #launch}
   */
  void launchCooperative(String entry, Shape shape, int sharedBytes, Arguments arguments) {
    launch(
        () -> driver.launchCooperative(function(entry), shape, sharedBytes, arguments, stream),
        entry,
        shape,
        arguments);
  }

  private void launch(Runnable launch, String entry, Shape shape, Arguments arguments) {
    try {
      launch.run();
      if (check) {
        driver.synchronizeStream(stream);
      }
    } catch (CudaException e) {
      String why =
          "%s; in %s with %s, %s".formatted(e.why(), entry, arguments.sizes(), described(shape));
      String remedy = check ? "Nothing before it failed: this launch is at fault." : e.remedy();
      throw new DeviceException(why, remedy, e);
    }
  }

  private long function(String entry) {
    Long known = functions.get(entry);
    if (known == null) {
      known = driver.function(module, entry);
      functions.put(entry, known);
    }
    return known;
  }

  /** The shape of a launch with a thread for each of {@code n} elements, in blocks of 256. */
  static Shape cover(int n) {
    return Shape.of((n - 1) / 256 + 1, 256);
  }

  /** The shape of a launch with a warp for each of {@code n} rows. */
  static Shape coverRows(int n) {
    return Shape.of((n - 1) / (ROW_THREADS / WARP) + 1, ROW_THREADS);
  }

  private static String described(Shape shape) {
    return "%dx%dx%d blocks of %dx%d threads"
        .formatted(shape.gridX(), shape.gridY(), shape.gridZ(), shape.blockX(), shape.blockY());
  }

  @Override
  public void close() {
    driver.unloadModule(module);
  }
}
