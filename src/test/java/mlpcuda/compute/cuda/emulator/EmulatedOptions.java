package mlpcuda.compute.cuda.emulator;

/**
 * What an emulated device is like.
 *
 * @param policy when it does what was asked
 * @param memory its bytes in all
 * @param multiprocessors as it reports them
 * @param major its compute capability, with 0 for the minor number
 * @param cublas whether cuBLAS is found
 * @param cudnn whether cuDNN is found
 */
public record EmulatedOptions(
    EmulatedPolicy policy,
    long memory,
    int multiprocessors,
    int major,
    boolean cublas,
    boolean cudnn) {
  /** 1 GiB, 4 multiprocessors, compute capability 9.0, with cuBLAS and cuDNN. */
  public static EmulatedOptions of(EmulatedPolicy policy) {
    return new EmulatedOptions(policy, 1L << 30, 4, 9, true, true);
  }

  /** With {@code bytes} of memory in all. */
  public EmulatedOptions withMemory(long bytes) {
    return new EmulatedOptions(policy, bytes, multiprocessors, major, cublas, cudnn);
  }

  /** With that many multiprocessors. */
  public EmulatedOptions withMultiprocessors(int count) {
    return new EmulatedOptions(policy, memory, count, major, cublas, cudnn);
  }

  /** With the compute capability {@code number}.0. */
  public EmulatedOptions withMajor(int number) {
    return new EmulatedOptions(policy, memory, multiprocessors, number, cublas, cudnn);
  }

  /** Where cuBLAS is not installed. */
  public EmulatedOptions withoutCublas() {
    return new EmulatedOptions(policy, memory, multiprocessors, major, false, cudnn);
  }

  /** Where cuDNN is not installed. */
  public EmulatedOptions withoutCudnn() {
    return new EmulatedOptions(policy, memory, multiprocessors, major, cublas, false);
  }
}
