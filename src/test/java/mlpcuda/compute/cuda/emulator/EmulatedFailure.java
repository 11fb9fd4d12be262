package mlpcuda.compute.cuda.emulator;

import java.util.Set;
import mlpcuda.compute.cuda.CudaException;

/** A failure that a call of CUDA may return: a code, its name and text. */
record EmulatedFailure(int code, String name, String text) {
  static final EmulatedFailure INVALID_VALUE =
      new EmulatedFailure(1, "CUDA_ERROR_INVALID_VALUE", "invalid argument");
  static final EmulatedFailure OUT_OF_MEMORY =
      new EmulatedFailure(CudaException.OUT_OF_MEMORY, "CUDA_ERROR_OUT_OF_MEMORY", "out of memory");
  static final EmulatedFailure NOT_FOUND =
      new EmulatedFailure(500, "CUDA_ERROR_NOT_FOUND", "named symbol not found");
  static final EmulatedFailure CAPTURE_UNSUPPORTED =
      new EmulatedFailure(
          900,
          "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED",
          "operation not permitted when stream is capturing");
  static final EmulatedFailure CAPTURE_INVALIDATED =
      new EmulatedFailure(
          901,
          "CUDA_ERROR_STREAM_CAPTURE_INVALIDATED",
          "operation failed due to a previous error during capture");
  static final EmulatedFailure CUBLAS_INVALID_VALUE =
      new EmulatedFailure(
          7, "CUBLAS_STATUS_INVALID_VALUE", "an unsupported value or parameter was passed");

  static final EmulatedFailure CUDNN_BAD_PARAM =
      new EmulatedFailure(2000, "CUDNN_STATUS_BAD_PARAM", "cuDNN, emulated");
  static final EmulatedFailure CUDNN_NOT_SUPPORTED =
      new EmulatedFailure(3000, "CUDNN_STATUS_NOT_SUPPORTED", "cuDNN, emulated");

  // "This leaves the process in an inconsistent state" is what CUDA's manual says of these.
  private static final Set<Integer> LASTING =
      Set.of(214, 700, 702, 710, 714, 715, 716, 717, 718, 719);

  /** Whether all calls fail after this failure. */
  boolean lasting() {
    return LASTING.contains(code);
  }

  /** The exception that {@code call} throws for this failure. */
  CudaException at(String call) {
    return new CudaException(call, code, name, text);
  }
}
