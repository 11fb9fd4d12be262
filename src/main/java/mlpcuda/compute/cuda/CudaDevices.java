package mlpcuda.compute.cuda;

import static jcuda.driver.CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR;
import static jcuda.driver.CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR;
import static jcuda.driver.CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COOPERATIVE_LAUNCH;
import static jcuda.driver.CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN;
import static jcuda.driver.CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT;
import static jcuda.driver.CUresult.CUDA_SUCCESS;
import static jcuda.driver.JCudaDriver.cuDeviceGet;
import static jcuda.driver.JCudaDriver.cuDeviceGetAttribute;
import static jcuda.driver.JCudaDriver.cuDeviceGetCount;
import static jcuda.driver.JCudaDriver.cuDeviceGetName;
import static jcuda.driver.JCudaDriver.cuDeviceTotalMem;
import static jcuda.driver.JCudaDriver.cuDriverGetVersion;
import static jcuda.driver.JCudaDriver.cuGetErrorName;
import static jcuda.driver.JCudaDriver.cuGetErrorString;
import static jcuda.driver.JCudaDriver.cuInit;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import jcuda.driver.CUdevice;
import mlpcuda.compute.cuda.GpuProperties.Capability;
import mlpcuda.compute.cuda.GpuProperties.CudaVersion;
import mlpcuda.compute.cuda.GpuProperties.Multiprocessors;
import mlpcuda.error.DeviceException;

/**
 * The GPUs of this machine, by JCuda.
 *
 * @param natives the folder that JCuda's libraries are unpacked below
 */
public record CudaDevices(Path natives) implements Gpus {
  private static final int NAME_BYTES = 256;

  @Override
  public List<GpuProperties> list() {
    try {
      start(new Natives(natives));
      int count = count();
      List<GpuProperties> devices = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        devices.add(describe(i));
      }
      return List.copyOf(devices);
    } catch (CudaException e) {
      throw GpuProblem.ofDriver(e, Surroundings.here()).exception(e);
    }
  }

  @Override
  public void load() {
    start(new Natives(natives));
  }

  @Override
  public CudaDriver open(int index) {
    return JCudaDriver.open(index, natives);
  }

  /** Loads JCuda and starts the driver. Doing so again changes nothing. */
  static void start(Natives natives) {
    Surroundings around = Surroundings.here();
    try {
      // JCuda's exceptions do not name the call: they are off, and each code is checked here
      // instead.
      natives.load("JCudaDriver", () -> jcuda.driver.JCudaDriver.setExceptionsEnabled(false));
    } catch (LinkageError e) {
      throw GpuProblem.notLoaded(String.valueOf(e.getMessage()), around).exception(e);
    }
    try {
      CudaVersion version = version(); // before cuInit, which says less of an old driver
      if (!version.isAtLeast(GpuProblem.LEAST_DRIVER)) {
        throw GpuProblem.oldDriver(version).exception();
      }
      check("cuInit", cuInit(0));
    } catch (CudaException e) {
      throw GpuProblem.ofDriver(e, around).exception(e);
    }
  }

  /**
   * The device of that index.
   *
   * @throws DeviceException if there is none, or one that the kernels do not run on
   */
  static GpuProperties usable(int index) {
    int count = count();
    if (index >= count) {
      throw GpuProblem.noSuchDevice(index, count, Surroundings.here()).exception();
    }
    GpuProperties device = describe(index);
    if (GpuProblem.isOld(device)) {
      throw GpuProblem.ofOldDevice(device).exception();
    }
    return device;
  }

  private static int count() {
    int[] count = new int[1];
    check("cuDeviceGetCount", cuDeviceGetCount(count));
    if (count[0] == 0) {
      throw GpuProblem.noDevice(Surroundings.here()).exception();
    }
    return count[0];
  }

  private static CudaVersion version() {
    int[] version = new int[1];
    check("cuDriverGetVersion", cuDriverGetVersion(version));
    return new CudaVersion(version[0]);
  }

  private static GpuProperties describe(int index) {
    CUdevice device = handle(index);
    byte[] name = new byte[NAME_BYTES];
    check("cuDeviceGetName", cuDeviceGetName(name, NAME_BYTES, device));
    int length = 0;
    while (length < NAME_BYTES && name[length] != 0) {
      length++;
    }
    long[] memory = new long[1];
    check("cuDeviceTotalMem", cuDeviceTotalMem(memory, device));
    var capability =
        new Capability(
            attribute(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, device),
            attribute(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR, device));
    var multiprocessors =
        new Multiprocessors(
            attribute(CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT, device),
            attribute(CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN, device),
            attribute(CU_DEVICE_ATTRIBUTE_COOPERATIVE_LAUNCH, device) != 0);
    return new GpuProperties(
        index,
        new String(name, 0, length, StandardCharsets.UTF_8),
        capability,
        memory[0],
        multiprocessors,
        version());
  }

  /** The driver's handle of a device. */
  static CUdevice handle(int index) {
    var device = new CUdevice();
    check("cuDeviceGet", cuDeviceGet(device, index));
    return device;
  }

  private static int attribute(int which, CUdevice device) {
    int[] value = new int[1];
    check("cuDeviceGetAttribute", cuDeviceGetAttribute(value, which, device));
    return value[0];
  }

  /** Throws if {@code call} returned anything but success. */
  static void check(String call, int code) {
    if (code != CUDA_SUCCESS) {
      throw new CudaException(call, code, name(code), text(code));
    }
  }

  private static String name(int code) {
    String[] name = new String[1];
    return cuGetErrorName(code, name) == CUDA_SUCCESS ? name[0] : "error unknown to the driver";
  }

  private static String text(int code) {
    String[] text = new String[1];
    return cuGetErrorString(code, text) == CUDA_SUCCESS ? text[0] : "no description";
  }
}
