package mlpcuda.compute.cuda;

import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;
import mlpcuda.compute.cuda.CudaDriver.Shape;
import mlpcuda.error.DeviceException;

/**
 * A module of kernels, whose entries are launched on one stream. The module is loaded when its
 * first entry is launched: a run pays for no module that it does not use.
 */
final class KernelModule implements AutoCloseable {
  /** The threads of a block whose warps take a row of a matrix each. */
  private static final int ROW_THREADS = 256;

  /** The number of threads of a warp. */
  static final int WARP = 32;

  private final LaunchStream stream;
  private final CudaDriver driver;
  private final String name;
  private final Consumer<String> notes;
  private long module; // 0: not loaded
  private final Map<String, Long> functions = new HashMap<>();

  /**
   * A module that is not loaded yet.
   *
   * @param name the name of the module, as {@code layers} for layers.ptx
   * @param notes is told, in one line, if the driver has to compile the module's PTX
   */
  KernelModule(LaunchStream stream, String name, Consumer<String> notes) {
    this.stream = stream;
    this.driver = stream.driver();
    this.name = name;
    this.notes = notes;
  }

  /**
   * Loads the module now, if it is not loaded: its machine code for the device, or, where there is
   * none or the driver refuses it, its PTX, whose compilation takes seconds.
   *
   * @throws DeviceException if the driver takes neither
   */
  KernelModule load() {
    if (module == 0) {
      module = load(ModuleImage.read(name, driver.device().capability()));
    }
    return this;
  }

  private long load(ModuleImage image) {
    String why =
        "the program has no machine code for compute capability " + driver.device().capability();
    if (image.cubin().isPresent()) {
      try {
        return driver.loadModule(image);
      } catch (CudaException e) {
        if (!GpuProblem.isOfMachineCode(e.code())) {
          throw e;
        }
        why = "the driver refuses its machine code (%s)".formatted(e.why());
      }
    }
    notes.accept("Module %s: %s; the driver compiles its PTX now".formatted(name, why));
    return driver.loadModule(image.withoutCubin());
  }

  /**
   * Launches an entry.
   *
   * @throws DeviceException that names the entry, its sizes and its threads
   */
  void launch(String entry, Shape shape, Arguments arguments) {
    enqueue(
        entry,
        shape,
        arguments,
        () -> driver.launch(function(entry), shape, arguments, stream.handle()));
  }

  /**
   * Launches an entry whose blocks all run at once.
   *
   * @param sharedBytes the bytes of each block's dynamic shared memory
   * @throws DeviceException as {@link #launch}
   */
  void launchCooperative(String entry, Shape shape, int sharedBytes, Arguments arguments) {
    enqueue(
        entry,
        shape,
        arguments,
        () ->
            driver.launchCooperative(
                function(entry), shape, sharedBytes, arguments, stream.handle()));
  }

  private void enqueue(String entry, Shape shape, Arguments arguments, Runnable launch) {
    stream.enqueue(
        "launch",
        () -> "%s with %s, %s".formatted(entry, arguments.sizes(), described(shape)),
        launch);
  }

  private long function(String entry) {
    Long known = functions.get(entry);
    if (known == null) {
      known = driver.function(load().module, entry);
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
    if (module != 0) {
      driver.unloadModule(module);
    }
  }
}
