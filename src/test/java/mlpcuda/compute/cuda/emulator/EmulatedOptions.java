package mlpcuda.compute.cuda.emulator;

/**
 * What an emulated device is like.
 *
 * @param policy when it does what was asked
 * @param memory its bytes in all
 * @param multiprocessors as it reports them
 * @param cublas whether cuBLAS is found
 * @param cudnn whether cuDNN is found
 */
public record EmulatedOptions(
    EmulatedPolicy policy, long memory, int multiprocessors, boolean cublas, boolean cudnn) {
  /** 1 GiB, 4 multiprocessors, with cuBLAS and cuDNN. */
  public static EmulatedOptions of(EmulatedPolicy policy) {
    return new EmulatedOptions(policy, 1L << 30, 4, true, true);
  }

  /** With {@code bytes} of memory in all. */
  public EmulatedOptions withMemory(long bytes) {
    return new EmulatedOptions(policy, bytes, multiprocessors, cublas, cudnn);
  }

  /** With that many multiprocessors. */
  public EmulatedOptions withMultiprocessors(int count) {
    return new EmulatedOptions(policy, memory, count, cublas, cudnn);
  }

  /** Where cuBLAS is not installed. */
  public EmulatedOptions withoutCublas() {
    return new EmulatedOptions(policy, memory, multiprocessors, false, cudnn);
  }

  /** Where cuDNN is not installed. */
  public EmulatedOptions withoutCudnn() {
    return new EmulatedOptions(policy, memory, multiprocessors, cublas, false);
  }
}
