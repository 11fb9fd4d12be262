package mlpcuda.compute.cuda;

import mlpcuda.error.DeviceException;

/** Thrown when a call of CUDA fails. The failure of a launch may not show before a later call. */
public final class CudaException extends DeviceException {
  private static final long serialVersionUID = 1L;

  /** The code of CUDA_ERROR_OUT_OF_MEMORY. */
  public static final int OUT_OF_MEMORY = 2;

  /** The code of CUDA_ERROR_COOPERATIVE_LAUNCH_TOO_LARGE. */
  public static final int COOPERATIVE_LAUNCH_TOO_LARGE = 720;

  private final int code;

  /**
   * The failure of a call.
   *
   * @param call the function of CUDA, as {@code cuMemAlloc}
   * @param code the code that the call returned
   * @param name CUDA's name for the code, as {@code CUDA_ERROR_ILLEGAL_ADDRESS}
   * @param text CUDA's text for the code
   */
  public CudaException(String call, int code, String name, String text) {
    super(
        "%s failed: %s (%d): %s".formatted(call, name, code, text),
        "An earlier launch may have failed: run again with a check after every launch to find it.");
    this.code = code;
  }

  /**
   * The failure of a cooperative launch with more blocks than the device can hold at once.
   *
   * @param each the blocks that a multiprocessor holds
   */
  public static CudaException tooLargeCooperatively(
      CudaDriver.Shape shape, int sharedBytes, int each) {
    return new CudaException(
        "cuLaunchCooperativeKernel",
        COOPERATIVE_LAUNCH_TOO_LARGE,
        "CUDA_ERROR_COOPERATIVE_LAUNCH_TOO_LARGE",
        "all blocks of a cooperative launch must be resident at once, but of its %d blocks, each of"
                .formatted((long) shape.gridX() * shape.gridY() * shape.gridZ())
            + " %d threads with %d bytes of dynamic shared memory, a multiprocessor holds %d"
                .formatted(shape.threads(), sharedBytes, each));
  }

  /** The code that the call returned. */
  public int code() {
    return code;
  }
}
