package mlpcuda.compute.cuda;

import static jcuda.driver.CUfunction_attribute.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES;
import static jcuda.driver.CUresult.CUDA_ERROR_COOPERATIVE_LAUNCH_TOO_LARGE;
import static jcuda.driver.JCudaDriver.cuFuncSetAttribute;
import static jcuda.driver.JCudaDriver.cuLaunchCooperativeKernel;
import static jcuda.driver.JCudaDriver.cuLaunchKernel;
import static jcuda.driver.JCudaDriver.cuOccupancyMaxActiveBlocksPerMultiprocessor;
import static mlpcuda.compute.cuda.CudaDevices.check;

import java.nio.ByteBuffer;
import jcuda.Pointer;
import mlpcuda.compute.cuda.CudaDriver.Pinned;
import mlpcuda.compute.cuda.CudaDriver.Shape;
import mlpcuda.compute.cuda.JCudaObjects.Function;
import mlpcuda.compute.cuda.JCudaObjects.HostAddress;
import mlpcuda.compute.cuda.JCudaObjects.Stream;

/** Launches kernels by JCuda, which reads their arguments from slots of page-locked memory. */
final class JCudaLaunches {
  /** The most arguments of a launch: more than any kernel here takes. */
  private static final int MAX_ARGUMENTS = 64;

  /** The most bytes of a launch's arguments: a limit of CUDA itself. */
  private static final int TABLE = 4096;

  /** The bytes of page-locked memory that the slots take. */
  static final int SLOT_BYTES = TABLE + Long.BYTES * MAX_ARGUMENTS;

  /** Has the arguments of a launch, followed by the address of each argument. */
  private final Pinned slots;

  private final Pointer addresses;

  /** {@code slots} has {@link #SLOT_BYTES} bytes, and is freed by the caller. */
  JCudaLaunches(Pinned slots) {
    this.slots = slots;
    addresses = new HostAddress(slots.address() + TABLE);
  }

  // The driver copies the arguments before a launch returns, so that the next launch may use the
  // slots again.
  private void fill(Arguments arguments) {
    if (arguments.count() > MAX_ARGUMENTS) {
      throw new IllegalArgumentException(
          "a kernel may have at most %d arguments, found %d"
              .formatted(MAX_ARGUMENTS, arguments.count()));
    }
    ByteBuffer to = slots.bytes();
    int end = 0;
    for (int i = 0; i < arguments.count(); i++) {
      int at = end;
      int[] words = arguments.words(i);
      // Each argument begins at a multiple of 8 bytes, as its type may need.
      end += words == null ? Long.BYTES : Long.BYTES * ((words.length + 1) / 2);
      if (end > TABLE) {
        throw new IllegalArgumentException(
            "a kernel's arguments may take at most %d bytes".formatted(TABLE));
      }
      if (words == null) {
        // All platforms with CUDA are little-endian, so a shorter argument lies at its slot's
        // start.
        to.putLong(at, arguments.bits(i));
      } else {
        for (int w = 0; w < words.length; w++) {
          to.putInt(at + Integer.BYTES * w, words[w]);
        }
      }
      to.putLong(TABLE + Long.BYTES * i, slots.address() + at);
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
