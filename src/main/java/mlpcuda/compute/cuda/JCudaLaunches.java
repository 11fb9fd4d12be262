package mlpcuda.compute.cuda;

import static jcuda.driver.CUfunction_attribute.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES;
import static jcuda.driver.CUresult.CUDA_ERROR_COOPERATIVE_LAUNCH_TOO_LARGE;
import static jcuda.driver.JCudaDriver.cuFuncSetAttribute;
import static jcuda.driver.JCudaDriver.cuLaunchCooperativeKernel;
import static jcuda.driver.JCudaDriver.cuLaunchKernel;
import static jcuda.driver.JCudaDriver.cuOccupancyMaxActiveBlocksPerMultiprocessor;
import static mlpcuda.compute.cuda.CudaDevices.check;

import jcuda.Pointer;
import mlpcuda.compute.cuda.CudaDriver.Pinned;
import mlpcuda.compute.cuda.CudaDriver.Shape;
import mlpcuda.compute.cuda.JCudaObjects.Function;
import mlpcuda.compute.cuda.JCudaObjects.HostAddress;
import mlpcuda.compute.cuda.JCudaObjects.Stream;

/** Launches of kernels by JCuda, with the slots that their arguments are handed over in. */
final class JCudaLaunches {
  /** The most arguments of a launch: more than any kernel here takes. */
  private static final int MAX_ARGUMENTS = 64;

  private static final int TABLE = Long.BYTES * MAX_ARGUMENTS;

  /** The bytes of page-locked memory that the slots take. */
  static final int SLOT_BYTES = 2 * TABLE;

  /** Slots of 8 bytes for the arguments of a launch, then the address of each slot. */
  private final Pinned slots;

  private final Pointer addresses;

  /** {@code slots} has {@link #SLOT_BYTES} bytes, and is freed by the caller. */
  JCudaLaunches(Pinned slots) {
    this.slots = slots;
    for (int i = 0; i < MAX_ARGUMENTS; i++) {
      slots.bytes().putLong(TABLE + Long.BYTES * i, slots.address() + Long.BYTES * i);
    }
    addresses = new HostAddress(slots.address() + TABLE);
  }

  // The driver copies the arguments before a launch returns: the slots are free again.
  private void fill(Arguments arguments) {
    if (arguments.count() > MAX_ARGUMENTS) {
      throw new IllegalArgumentException(
          "a kernel may have at most %d arguments, found %d"
              .formatted(MAX_ARGUMENTS, arguments.count()));
    }
    for (int i = 0; i < arguments.count(); i++) {
      // Little-endian, as all platforms with CUDA: a shorter argument lies at its slot's start.
      slots.bytes().putLong(Long.BYTES * i, arguments.bits(i));
    }
  }

  void launch(Function function, Shape shape, Arguments arguments, Stream stream) {
    fill(arguments);
    check(
        "cuLaunchKernel",
        cuLaunchKernel(
            function,
            shape.gridX(),
            shape.gridY(),
            shape.gridZ(),
            shape.blockX(),
            shape.blockY(),
            1,
            0,
            stream,
            addresses,
            null));
  }

  void launchCooperative(
      Function function, Shape shape, int sharedBytes, Arguments arguments, Stream stream) {
    allow(function, sharedBytes);
    fill(arguments);
    int code =
        cuLaunchCooperativeKernel(
            function,
            shape.gridX(),
            shape.gridY(),
            shape.gridZ(),
            shape.blockX(),
            shape.blockY(),
            1,
            sharedBytes,
            stream,
            addresses);
    if (code == CUDA_ERROR_COOPERATIVE_LAUNCH_TOO_LARGE) {
      throw CudaException.tooLargeCooperatively(
          shape, sharedBytes, residentOnEach(function, shape.threads(), sharedBytes));
    }
    check("cuLaunchCooperativeKernel", code);
  }

  /** The blocks of a kernel that are resident on each multiprocessor together. */
  int residentOnEach(Function function, int threads, int sharedBytes) {
    allow(function, sharedBytes);
    int[] blocks = new int[1];
    check(
        "cuOccupancyMaxActiveBlocksPerMultiprocessor",
        cuOccupancyMaxActiveBlocksPerMultiprocessor(blocks, function, threads, sharedBytes));
    return blocks[0];
  }

  /** A kernel gets more than 48 KiB of shared memory only if its attribute allows it before. */
  private static void allow(Function function, int sharedBytes) {
    if (sharedBytes > function.sharedBytes) {
      check(
          "cuFuncSetAttribute",
          cuFuncSetAttribute(
              function, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, sharedBytes));
      function.sharedBytes = sharedBytes;
    }
  }
}
