package mlpcuda.compute.cuda;

import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import jcuda.driver.CUresult;
import mlpcuda.compute.Precision;
import mlpcuda.error.DeviceException;
import mlpcuda.files.OneLine;

/**
 * A reason why a GPU cannot be used. Each of the static methods makes the reason of one situation,
 * from its arguments alone.
 *
 * @param why one line of cause
 * @param remedy one line on what to do
 */
record Obstacle(String why, String remedy) {
  /** The least compute capability, 7.5: the kernels are written for it. */
  private static final int LEAST_MAJOR = 7;

  private static final int LEAST_MINOR = 5;

  /** The least major version for tensor cores: their kernels are written for 8.0. */
  private static final int TENSOR_MAJOR = 8;

  /** The least version of CUDA, 12.0: the first that knows the kernels' PTX ISA 8.0. */
  static final int LEAST_DRIVER = 12000;

  private static final String NEW_DRIVER = "Install NVIDIA driver 525 or newer";
  private static final String OR_CPU = ", or use the CPU.";
  private static final String OR_OWN_KERNELS = ", or use the program's own kernels.";

  /** Puts {@code why} on one line: texts of a driver, a linker or a device may have line breaks. */
  Obstacle {
    why = OneLine.joined(why);
    remedy = remedy.strip();
  }

  /** Makes the exception to throw; {@code cause} may be null. */
  DeviceException exception(Throwable cause) {
    return cause == null
        ? new DeviceException(why, remedy)
        : new DeviceException(why, remedy, cause);
  }

  // ---- JCuda's libraries ----

  /** The class path has no library of that name. */
  static Obstacle noLibrary(String name) {
    return new Obstacle(
        "there is no CUDA for this platform: the program was built without " + name,
        "Use a jar built on 64-bit x86 Linux or Windows, and run it there" + OR_CPU);
  }

  /** {@code folder} does not take JCuda's libraries. */
  static Obstacle notUnpacked(Path folder, String what) {
    return new Obstacle(
        "JCuda's libraries cannot be unpacked to %s: %s".formatted(folder, what),
        "Set XDG_CACHE_HOME to a folder of yours that can be written and has space" + OR_CPU);
  }

  /** The dynamic linker did not take a library, and said {@code what}: the file and why. */
  static Obstacle notLoaded(String what, Surroundings around) {
    if (what.contains("libcuda.so.1")) {
      return noDriver("libcuda.so.1", around);
    }
    Matcher version = Pattern.compile("(GLIBC|GLIBCXX)_[0-9.]+' not found").matcher(what);
    if (version.find()) {
      return new Obstacle(
          "the system's C library is older than JCuda needs: " + what,
          "Use a Linux with glibc 2.17 or newer and its libstdc++" + OR_CPU);
    }
    if (what.contains("failed to map segment") || what.contains("Operation not permitted")) {
      return new Obstacle(
          "JCuda's library lies where nothing may be executed (mounted noexec?): " + what,
          "Set XDG_CACHE_HOME to a folder on a file system that allows execution" + OR_CPU);
    }
    if (what.contains("dependent libraries")) { // Windows does not say which
      return noDriver("nvcuda.dll", around);
    }
    return new Obstacle(
        "JCuda's library cannot be loaded: " + what, "Install what the message misses" + OR_CPU);
  }

  private static Obstacle noDriver(String library, Surroundings around) {
    String why = "there is no NVIDIA driver here: %s was not found".formatted(library);
    if (around.container() && around.deviceFile()) {
      return new Obstacle(
          why + ", though /dev/nvidiactl is there, in a container",
          "Start the container with NVIDIA_DRIVER_CAPABILITIES=compute,utility" + OR_CPU);
    }
    if (around.container()) {
      return new Obstacle(
          why + ", nor /dev/nvidiactl, in a container",
          "Start the container with --gpus all (NVIDIA Container Toolkit)" + OR_CPU);
    }
    if (around.deviceFile()) {
      return new Obstacle(
          why + ", though /dev/nvidiactl is there",
          "Install the driver's CUDA library, or add its folder to LD_LIBRARY_PATH" + OR_CPU);
    }
    return new Obstacle(why, NEW_DRIVER + OR_CPU);
  }

  /**
   * cuBLAS is not there.
   *
   * @param wanted the file's name
   * @param found files of other versions
   * @param what the linker's words
   */
  static Obstacle noCublas(String wanted, List<Path> found, String what) {
    return new Obstacle(
        notFound("cuBLAS 12", wanted, found, what),
        "Install cuBLAS 12 and add its folder to LD_LIBRARY_PATH, or use the program's own kernels.");
  }

  private static String notFound(String library, String wanted, List<Path> found, String what) {
    boolean there = found.stream().anyMatch(file -> file.endsWith(wanted));
    return "%s %s: wanted %s, found %s (%s)"
        .formatted(
            library,
            there ? "cannot be loaded" : "was not found",
            wanted,
            found.isEmpty()
                ? "none"
                : found.stream().map(Path::toString).collect(Collectors.joining(", ")),
            what);
  }

  /**
   * cuDNN is not there, or JCuda's library for it does not load.
   *
   * @param wanted the file's name
   * @param found files of whatever version
   * @param what the linker's words
   */
  static Obstacle noCudnn(String wanted, List<Path> found, String what, Surroundings around) {
    // Windows does not say which it misses, but the driver's is loaded already.
    boolean windows = what.contains("dependent libraries");
    if (!windows && !what.contains("libcudnn")) {
      return notLoaded(what, around);
    }
    return new Obstacle(
        notFound("cuDNN 9", windows ? "cudnn64_9.dll" : wanted, found, what),
        "Install cuDNN 9, all its libraries in one folder, and add that to "
            + (windows ? "PATH" : "LD_LIBRARY_PATH")
            + OR_OWN_KERNELS);
  }

  /** cuDNN was found, and gives no handle. */
  static Obstacle ofCudnn(CudaException e, CudaDriver.Device device) {
    return new Obstacle(
        "cuDNN does not start on GPU %d (%s), driver for CUDA %s: %s"
            .formatted(device.index(), device.name(), cuda(device.driver()), e.why()),
        "Install a cuDNN 9 that supports this GPU and this driver" + OR_OWN_KERNELS);
  }

  // ---- the driver ----

  /** A call failed that starts the driver or asks it for its devices. */
  static Obstacle ofDriver(CudaException e, Surroundings around) {
    String failed = e.why();
    return switch (e.code()) {
      case CUresult.CUDA_ERROR_NO_DEVICE -> noDevice(around);
      case CUresult.CUDA_ERROR_STUB_LIBRARY ->
          new Obstacle(
              "the libcuda.so.1 that was found is a toolkit's stub, for linking only: " + failed,
              "Remove the 'stubs' folder from LD_LIBRARY_PATH" + OR_CPU);
      case CUresult.CUDA_ERROR_SYSTEM_DRIVER_MISMATCH ->
          new Obstacle(
              "the driver in the kernel and libcuda.so.1 are of different versions: " + failed,
              "Restart the machine (or the container) after the driver's update" + OR_CPU);
      case CUresult.CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE ->
          new Obstacle(
              "CUDA's forward compatibility does not support this GPU: " + failed,
              "Remove the 'compat' folder from LD_LIBRARY_PATH, or install a newer driver"
                  + OR_CPU);
      case CUresult.CUDA_ERROR_SYSTEM_NOT_READY ->
          new Obstacle(
              "the GPUs are not ready yet: " + failed,
              "Start the NVIDIA fabric manager or wait for it" + OR_CPU);
      default ->
          new Obstacle(
              "the driver fails: " + failed,
              "See whether nvidia-smi works; if not, reload the driver or restart" + OR_CPU);
    };
  }

  /** The driver works and shows no GPU. */
  static Obstacle noDevice(Surroundings around) {
    if (around.visibleDevices() != null) {
      return new Obstacle(
          "the driver shows no GPU: CUDA_VISIBLE_DEVICES='%s'".formatted(around.visibleDevices()),
          "Set CUDA_VISIBLE_DEVICES to indices that 'nvidia-smi -L' lists, or unset it" + OR_CPU);
    }
    return around.container()
        ? new Obstacle(
            "the driver shows no GPU, in a container",
            "Start the container with --gpus all (NVIDIA Container Toolkit)" + OR_CPU)
        : new Obstacle("the driver shows no GPU", "See whether 'nvidia-smi -L' lists one" + OR_CPU);
  }

  /** The driver is too old; {@code version} is in its form: 11080 is CUDA 11.8. */
  static Obstacle oldDriver(int version) {
    return new Obstacle(
        "the driver must be for CUDA %s or newer, found CUDA %s"
            .formatted(cuda(LEAST_DRIVER), cuda(version)),
        NEW_DRIVER + OR_CPU);
  }

  /** Formats a version of CUDA for people: 11080 is 11.8. */
  static String cuda(int version) {
    return version / 1000 + "." + version % 1000 / 10;
  }

  // ---- the device ----

  /** There are {@code count} devices, at least 1, and none of that index. */
  static Obstacle noSuchDevice(int index, int count, Surroundings around) {
    String shown = count == 1 ? "1 GPU, index 0" : "%d GPUs, 0 to %d".formatted(count, count - 1);
    return around.visibleDevices() == null
        ? new Obstacle(
            "there is no GPU %d: the driver shows %s".formatted(index, shown),
            "Choose one of these.")
        : new Obstacle(
            "there is no GPU %d: CUDA_VISIBLE_DEVICES=%s shows %s"
                .formatted(index, around.visibleDevices(), shown),
            "Choose one of these, or change CUDA_VISIBLE_DEVICES.");
  }

  /** Whether the kernels run on a device. */
  static boolean oldDevice(CudaDriver.Device device) {
    return device.major() < LEAST_MAJOR
        || device.major() == LEAST_MAJOR && device.minor() < LEAST_MINOR;
  }

  /** The device is too old: {@link #oldDevice} is true of it. */
  static Obstacle ofOldDevice(CudaDriver.Device device) {
    return new Obstacle(
        "GPU %d (%s) must have compute capability %d.%d or newer (Turing, 2018), found %d.%d"
            .formatted(
                device.index(),
                device.name(),
                LEAST_MAJOR,
                LEAST_MINOR,
                device.major(),
                device.minor()),
        "Choose another of the GPUs that 'mlp-cuda devices' lists" + OR_CPU);
  }

  /** Whether the device's tensor cores have that precision: from compute capability 8.0 on. */
  static boolean canMultiply(CudaDriver.Device device, Precision precision) {
    return precision == Precision.FP32 || device.major() >= TENSOR_MAJOR;
  }

  /** The device lacks the precision: {@link #canMultiply} is false of it. */
  static Obstacle ofPrecision(CudaDriver.Device device, Precision precision) {
    return new Obstacle(
        "GPU %d (%s) must have compute capability %d.0 or newer (Ampere, 2020) for %s, found %d.%d"
            .formatted(
                device.index(),
                device.name(),
                TENSOR_MAJOR,
                precision.label(),
                device.major(),
                device.minor()),
        "Use precision fp32.");
  }

  /** The device cannot run all blocks of a launch at once. */
  static Obstacle notCooperative(CudaDriver.Device device) {
    return new Obstacle(
        "GPU %d (%s) has no cooperative launch, which persistent steps need"
            .formatted(device.index(), device.name()),
        "Use fused steps.");
  }

  /** A network and its batch do not fit into persistent steps: {@code layout.fits()} is false. */
  static Obstacle ofLayout(PersistentLayout layout, CudaDriver.Device device) {
    String on =
        "GPU %d (%s), with %d multiprocessors,"
            .formatted(device.index(), device.name(), device.multiprocessors());
    return layout.inputs() > layout.mostInputs()
        ? new Obstacle(
            "persistent steps take images of at most %d pixels on %s found %d"
                .formatted(layout.mostInputs(), on, layout.inputs()),
            "Use fused steps.")
        : new Obstacle(
            "persistent steps need %s of shared memory a block for this network and batch; %s has %s"
                .formatted(
                    CudaDriver.Device.size(layout.leastBytes()),
                    on,
                    CudaDriver.Device.size(layout.sharedBytes())),
            "Use fused steps, a narrower first layer or a smaller batch.");
  }

  /**
   * The exception to throw where memory could not be allocated; {@code e} itself if it has another
   * cause.
   *
   * @param name what the memory is for
   * @param or another remedy, which begins with a comma; may be empty
   */
  static RuntimeException ofAllocation(
      CudaException e, CudaDriver driver, String name, long bytes, String or) {
    if (e.code() != CudaException.OUT_OF_MEMORY) {
      return e;
    }
    CudaDriver.Device device = driver.device();
    return new DeviceException(
        "out of memory on GPU %d for %s: asked for %s, %s of %s are free"
            .formatted(
                device.index(),
                name,
                CudaDriver.Device.size(bytes),
                CudaDriver.Device.size(driver.freeMemory()),
                CudaDriver.Device.size(device.memory())),
        "Lower the batch size, the test batch size or the widths of the hidden layers" + or + ".",
        e);
  }

  /** The device gives no context. */
  static Obstacle noContext(CudaDriver.Device device, CudaException e) {
    return new Obstacle(
        "GPU %d (%s) cannot be opened: %s".formatted(device.index(), device.name(), e.why()),
        "See with nvidia-smi what else uses it and its memory, and its compute mode" + OR_CPU);
  }

  // ---- modules ----

  /** Whether the load of a module failed because the driver cannot translate the module. */
  static boolean isOfModule(int code) {
    return switch (code) {
      case CUresult.CUDA_ERROR_NO_BINARY_FOR_GPU,
          CUresult.CUDA_ERROR_INVALID_PTX,
          CUresult.CUDA_ERROR_UNSUPPORTED_PTX_VERSION,
          CUresult.CUDA_ERROR_JIT_COMPILER_NOT_FOUND,
          CUresult.CUDA_ERROR_JIT_COMPILATION_DISABLED ->
          true;
      default -> false;
    };
  }

  /** Whether the load of machine code failed because this driver or device cannot use it. */
  static boolean isOfMachineCode(int code) {
    return isOfModule(code)
        || code == CUresult.CUDA_ERROR_INVALID_IMAGE
        || code == CUresult.CUDA_ERROR_INVALID_SOURCE;
  }

  /**
   * The driver did not take module {@code name}.
   *
   * @param log the first line of the driver's log, or empty
   */
  static Obstacle ofModule(String name, String log, CudaDriver.Device device, CudaException e) {
    String why =
        "the driver (CUDA %s) cannot load %s for GPU %d: %s%s"
            .formatted(
                cuda(device.driver()),
                name,
                device.index(),
                e.why(),
                log.isEmpty() ? "" : ": " + log);
    return switch (e.code()) {
      case CUresult.CUDA_ERROR_JIT_COMPILER_NOT_FOUND ->
          new Obstacle(
              why,
              "Install the driver's libnvidia-ptxjitcompiler.so.1; in a container set"
                  + " NVIDIA_DRIVER_CAPABILITIES=compute,utility.");
      case CUresult.CUDA_ERROR_JIT_COMPILATION_DISABLED ->
          new Obstacle(why, "Unset CUDA_DISABLE_PTX_JIT" + OR_CPU);
      default ->
          new Obstacle(
              why,
              "It needs PTX ISA 8.0 (CUDA 12.0, driver 525) and compute capability %d.%d or newer"
                      .formatted(LEAST_MAJOR, LEAST_MINOR)
                  + OR_CPU);
    };
  }
}
