package mlpcuda.compute.cuda;

import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import jcuda.driver.CUresult;
import mlpcuda.compute.Precision;
import mlpcuda.compute.cuda.GpuProperties.Capability;
import mlpcuda.compute.cuda.GpuProperties.CudaVersion;
import mlpcuda.error.DeviceException;
import mlpcuda.files.OneLine;

/**
 * A reason why a GPU, or a library of NVIDIA's, cannot be used. Each of the static methods makes
 * the reason of one situation from its arguments alone.
 *
 * @param why one line of cause
 * @param remedy one line on what to do
 */
record GpuProblem(String why, String remedy) {
  /** The least compute capability: the kernels are written for it. */
  private static final Capability LEAST = new Capability(7, 5);

  /** The least compute capability for tensor cores: their kernels are written for it. */
  private static final Capability LEAST_TENSOR = new Capability(8, 0);

  /** The least version of CUDA: the first that knows the kernels' PTX ISA 8.0. */
  static final CudaVersion LEAST_DRIVER = new CudaVersion(12000);

  /** The least version of CUDA of a driver that cuBLAS 13 runs on. */
  static final CudaVersion DRIVER_OF_CUBLAS_13 = new CudaVersion(13000);

  private static final String NEW_DRIVER = "Install NVIDIA driver 525 or newer";
  private static final String OR_CPU = ", or use the CPU.";
  private static final String OR_OWN_KERNELS = ", or use the program's own kernels.";

  /** Puts {@code why} on one line: texts of a driver, a linker or a device may have line breaks. */
  GpuProblem {
    why = OneLine.joined(why);
    remedy = remedy.strip();
  }

  /** Makes the exception to throw. */
  DeviceException exception() {
    return new DeviceException(why, remedy);
  }

  /** Makes the exception to throw because of {@code cause}. */
  DeviceException exception(Throwable cause) {
    return new DeviceException(why, remedy, cause);
  }

  // ---- libraries ----

  /** The problem that the class path has no library of that name. */
  static GpuProblem noLibrary(String name) {
    return new GpuProblem(
        "there is no CUDA for this platform: the program was built without " + name,
        "Use a jar built on 64-bit x86 Linux or Windows, and run it there" + OR_CPU);
  }

  /** The problem that the libraries of JCuda or JNA cannot be written to {@code folder}. */
  static GpuProblem notUnpacked(Path folder, String what) {
    return new GpuProblem(
        "the libraries that call CUDA cannot be unpacked to %s: %s".formatted(folder, what),
        "Set XDG_CACHE_HOME to a folder of yours that can be written and has space" + OR_CPU);
  }

  /**
   * The problem that the dynamic linker cannot load a library.
   *
   * @param what the linker's message, which names the file
   */
  static GpuProblem notLoaded(String what, Surroundings around) {
    if (what.contains("libcuda.so.1")) {
      return noDriver("libcuda.so.1", around);
    }
    Matcher version = Pattern.compile("(GLIBC|GLIBCXX)_[0-9.]+' not found").matcher(what);
    if (version.find()) {
      return new GpuProblem(
          "the system's C library is older than JCuda needs: " + what,
          "Use a Linux with glibc 2.17 or newer and its libstdc++" + OR_CPU);
    }
    if (what.contains("failed to map segment") || what.contains("Operation not permitted")) {
      return new GpuProblem(
          "JCuda's library lies where nothing may be executed (mounted noexec?): " + what,
          "Set XDG_CACHE_HOME to a folder on a file system that allows execution" + OR_CPU);
    }
    if (what.contains("dependent libraries")) { // Windows does not say which library is missing
      return noDriver("nvcuda.dll", around);
    }
    return new GpuProblem(
        "JCuda's library cannot be loaded: " + what, "Install what the message misses" + OR_CPU);
  }

  private static GpuProblem noDriver(String library, Surroundings around) {
    String why = "there is no NVIDIA driver here: %s was not found".formatted(library);
    if (around.container() && around.deviceFile()) {
      return new GpuProblem(
          why + ", though /dev/nvidiactl is there, in a container",
          "Start the container with NVIDIA_DRIVER_CAPABILITIES=compute,utility" + OR_CPU);
    }
    if (around.container()) {
      return new GpuProblem(
          why + ", nor /dev/nvidiactl, in a container",
          "Start the container with --gpus all (NVIDIA Container Toolkit)" + OR_CPU);
    }
    if (around.deviceFile()) {
      return new GpuProblem(
          why + ", though /dev/nvidiactl is there",
          "Install the driver's CUDA library, or add its folder to LD_LIBRARY_PATH" + OR_CPU);
    }
    return new GpuProblem(why, NEW_DRIVER + OR_CPU);
  }

  /**
   * The problem that no cuBLAS is found that the driver can run, or none can be loaded.
   *
   * @param wanted the names of the files that the driver can run, of cuBLAS 13 and 12 or of 12
   *     alone
   * @param found files of whatever version
   * @param what the linker's messages
   */
  static GpuProblem noCublas(List<String> wanted, List<Path> found, String what) {
    boolean both = wanted.size() > 1;
    boolean tooNew = !both && found.stream().anyMatch(file -> file.endsWith("libcublas.so.13"));
    return new GpuProblem(
        notFound(both ? "cuBLAS" : "cuBLAS 12", wanted, found, what),
        "Install cuBLAS %s and add its folder to LD_LIBRARY_PATH%s"
            .formatted(
                both ? "13 or 12" : "12",
                (tooNew ? ", or install NVIDIA driver 580 or newer, which cuBLAS 13 needs" : "")
                    + OR_OWN_KERNELS));
  }

  private static String notFound(
      String library, List<String> wanted, List<Path> found, String what) {
    boolean there = found.stream().anyMatch(file -> wanted.stream().anyMatch(file::endsWith));
    return "%s %s: wanted %s, found %s (%s)"
        .formatted(
            library,
            there ? "cannot be loaded" : "was not found",
            String.join(" or ", wanted),
            found.isEmpty()
                ? "none"
                : found.stream().map(Path::toString).collect(Collectors.joining(", ")),
            what);
  }

  /**
   * The problem that cuDNN, or JCuda's library for it, is not found or cannot be loaded.
   *
   * @param wanted the file's name
   * @param found files of whatever version
   * @param what the linker's message
   */
  static GpuProblem noCudnn(String wanted, List<Path> found, String what, Surroundings around) {
    // Windows does not say which library is missing, but the driver's one is loaded already.
    boolean windows = what.contains("dependent libraries");
    if (!windows && !what.contains("libcudnn")) {
      return notLoaded(what, around);
    }
    return new GpuProblem(
        notFound("cuDNN 9", List.of(windows ? "cudnn64_9.dll" : wanted), found, what),
        "Install cuDNN 9, all its libraries in one folder, and add that to "
            + (windows ? "PATH" : "LD_LIBRARY_PATH")
            + OR_OWN_KERNELS);
  }

  /** The problem that cuDNN was found and does not start. */
  static GpuProblem ofCudnn(CudaException e, GpuProperties device) {
    return new GpuProblem(
        "cuDNN does not start on GPU %d (%s), driver for %s: %s"
            .formatted(device.index(), device.name(), device.driver(), e.why()),
        "Install a cuDNN 9 that supports this GPU and this driver" + OR_OWN_KERNELS);
  }

  // ---- the driver ----

  /** The problem that a call failed which starts the driver or asks it for its devices. */
  static GpuProblem ofDriver(CudaException e, Surroundings around) {
    String failed = e.why();
    return switch (e.code()) {
      case CUresult.CUDA_ERROR_NO_DEVICE -> noDevice(around);
      case CUresult.CUDA_ERROR_STUB_LIBRARY ->
          new GpuProblem(
              "the libcuda.so.1 that was found is a toolkit's stub, for linking only: " + failed,
              "Remove the 'stubs' folder from LD_LIBRARY_PATH" + OR_CPU);
      case CUresult.CUDA_ERROR_SYSTEM_DRIVER_MISMATCH ->
          new GpuProblem(
              "the driver in the kernel and libcuda.so.1 are of different versions: " + failed,
              "Restart the machine (or the container) after the driver's update" + OR_CPU);
      case CUresult.CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE ->
          new GpuProblem(
              "CUDA's forward compatibility does not support this GPU: " + failed,
              "Remove the 'compat' folder from LD_LIBRARY_PATH, or install a newer driver"
                  + OR_CPU);
      case CUresult.CUDA_ERROR_SYSTEM_NOT_READY ->
          new GpuProblem(
              "the GPUs are not ready yet: " + failed,
              "Start the NVIDIA fabric manager or wait for it" + OR_CPU);
      default ->
          new GpuProblem(
              "the driver fails: " + failed,
              "See whether nvidia-smi works; if not, reload the driver or restart" + OR_CPU);
    };
  }

  /** The problem that the driver works and shows no GPU. */
  static GpuProblem noDevice(Surroundings around) {
    if (around.visibleDevices().isPresent()) {
      return new GpuProblem(
          "the driver shows no GPU: CUDA_VISIBLE_DEVICES='%s'"
              .formatted(around.visibleDevices().get()),
          "Set CUDA_VISIBLE_DEVICES to indices that 'nvidia-smi -L' lists, or unset it" + OR_CPU);
    }
    return around.container()
        ? new GpuProblem(
            "the driver shows no GPU, in a container",
            "Start the container with --gpus all (NVIDIA Container Toolkit)" + OR_CPU)
        : new GpuProblem(
            "the driver shows no GPU", "See whether 'nvidia-smi -L' lists one" + OR_CPU);
  }

  /** The problem that the driver is older than {@link #LEAST_DRIVER}. */
  static GpuProblem oldDriver(CudaVersion version) {
    return new GpuProblem(
        "the driver must be for %s or newer, found %s".formatted(LEAST_DRIVER, version),
        NEW_DRIVER + OR_CPU);
  }

  // ---- the device ----

  /** The problem that none of {@code count} devices, at least 1, has that index. */
  static GpuProblem noSuchDevice(int index, int count, Surroundings around) {
    String shown = count == 1 ? "1 GPU, index 0" : "%d GPUs, 0 to %d".formatted(count, count - 1);
    return around.visibleDevices().isEmpty()
        ? new GpuProblem(
            "there is no GPU %d: the driver shows %s".formatted(index, shown),
            "Choose one of these.")
        : new GpuProblem(
            "there is no GPU %d: CUDA_VISIBLE_DEVICES=%s shows %s"
                .formatted(index, around.visibleDevices().get(), shown),
            "Choose one of these, or change CUDA_VISIBLE_DEVICES.");
  }

  /** Whether a device is too old for the kernels. */
  static boolean isOld(GpuProperties device) {
    return !device.capability().isAtLeast(LEAST);
  }

  /** The problem that a device is too old: {@link #isOld} is true of it. */
  static GpuProblem ofOldDevice(GpuProperties device) {
    return new GpuProblem(
        "GPU %d (%s) must have compute capability %s or newer (Turing, 2018), found %s"
            .formatted(device.index(), device.name(), LEAST, device.capability()),
        "Choose another of the GPUs that 'mlp-cuda devices' lists" + OR_CPU);
  }

  /** Whether a device can multiply in that precision: all but single needs tensor cores. */
  static boolean canMultiply(GpuProperties device, Precision precision) {
    return precision == Precision.FP32 || device.capability().isAtLeast(LEAST_TENSOR);
  }

  /** The problem that a device lacks a precision: {@link #canMultiply} is false of it. */
  static GpuProblem ofPrecision(GpuProperties device, Precision precision) {
    return new GpuProblem(
        "GPU %d (%s) must have compute capability %s or newer (Ampere, 2020) for %s, found %s"
            .formatted(
                device.index(),
                device.name(),
                LEAST_TENSOR,
                precision.label(),
                device.capability()),
        "Use precision fp32.");
  }

  /** The problem that a device cannot run all blocks of a launch at once. */
  static GpuProblem notCooperative(GpuProperties device) {
    return new GpuProblem(
        "GPU %d (%s) has no cooperative launch, which persistent steps need"
            .formatted(device.index(), device.name()),
        "Use fused steps.");
  }

  /** The problem that a network does not fit into persistent steps: its layout does not fit. */
  static GpuProblem ofLayout(PersistentLayout layout, GpuProperties device) {
    String on =
        "GPU %d (%s), with %d multiprocessors,"
            .formatted(device.index(), device.name(), device.multiprocessors().count());
    return layout.inputs() > layout.mostInputs()
        ? new GpuProblem(
            "persistent steps take images of at most %d pixels on %s found %d"
                .formatted(layout.mostInputs(), on, layout.inputs()),
            "Use fused steps.")
        : new GpuProblem(
            "persistent steps need %s of shared memory a block for this network and batch; %s has %s"
                .formatted(
                    GpuProperties.size(layout.leastBytes()),
                    on,
                    GpuProperties.size(device.multiprocessors().sharedBytes())),
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
    GpuProperties device = driver.device();
    return new DeviceException(
        "out of memory on GPU %d for %s: asked for %s, %s of %s are free"
            .formatted(
                device.index(),
                name,
                GpuProperties.size(bytes),
                GpuProperties.size(driver.freeMemory()),
                GpuProperties.size(device.memory())),
        "Lower the batch size, the test batch size or the widths of the hidden layers" + or + ".",
        e);
  }

  /** The problem that the driver cannot make a context on a device. */
  static GpuProblem noContext(GpuProperties device, CudaException e) {
    return new GpuProblem(
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
   * The problem that the driver cannot load module {@code name}.
   *
   * @param log the first line of the driver's log, or empty
   */
  static GpuProblem ofModule(String name, String log, GpuProperties device, CudaException e) {
    String why =
        "the driver (%s) cannot load %s for GPU %d: %s%s"
            .formatted(
                device.driver(), name, device.index(), e.why(), log.isEmpty() ? "" : ": " + log);
    return switch (e.code()) {
      case CUresult.CUDA_ERROR_JIT_COMPILER_NOT_FOUND ->
          new GpuProblem(
              why,
              "Install the driver's libnvidia-ptxjitcompiler.so.1; in a container set"
                  + " NVIDIA_DRIVER_CAPABILITIES=compute,utility.");
      case CUresult.CUDA_ERROR_JIT_COMPILATION_DISABLED ->
          new GpuProblem(why, "Unset CUDA_DISABLE_PTX_JIT" + OR_CPU);
      default ->
          new GpuProblem(
              why,
              "It needs PTX ISA 8.0 (CUDA 12.0, driver 525) and compute capability %s or newer"
                      .formatted(LEAST)
                  + OR_CPU);
    };
  }
}
