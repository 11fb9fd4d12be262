package mlpcuda.compute.cuda;

import mlpcuda.compute.DeviceException;

/** A call of CUDA that failed. A launch's failure may show at a later call only. */
public final class CudaException extends DeviceException {
  private static final long serialVersionUID = 1L;

  /** CUDA_ERROR_OUT_OF_MEMORY. */
  public static final int OUT_OF_MEMORY = 2;

  private final int code;

  /**
   * A failure.
   *
   * @param call the function of CUDA, as {@code cuMemAlloc}
   * @param code what it returned
   * @param name CUDA's name for the code, as {@code CUDA_ERROR_ILLEGAL_ADDRESS}
   * @param text CUDA's text for it
   */
  public CudaException(String call, int code, String name, String text) {
    super(
        "%s failed: %s (%d): %s".formatted(call, name, code, text),
        "An earlier launch may be what failed: --sync-check finds it.");
    this.code = code;
  }

  /** What the call returned. */
  public int code() {
    return code;
  }
}
