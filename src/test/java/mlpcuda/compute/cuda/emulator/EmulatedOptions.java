package mlpcuda.compute.cuda.emulator;

/**
 * The options of an emulated device.
 *
 * @param policy the policy of when it does enqueued work
 * @param memory the size of its memory in bytes
 * @param multiprocessors the number of multiprocessors that it reports
 * @param major the major version of its compute capability; the minor one is 0
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
  /**
   * Options of a device with 1 GiB, 4 multiprocessors, compute capability 9.0, cuBLAS and cuDNN.
   */
  public static EmulatedOptions of(EmulatedPolicy policy) {
    return new EmulatedOptions(policy, 1L << 30, 4, 9, true, true);
  }

  /** A copy of these options with {@code bytes} of memory. */
  public EmulatedOptions withMemory(long bytes) {
    return new EmulatedOptions(policy, bytes, multiprocessors, major, cublas, cudnn);
  }

  /** A copy of these options with that number of multiprocessors. */
  public EmulatedOptions withMultiprocessors(int count) {
    return new EmulatedOptions(policy, memory, count, major, cublas, cudnn);
  }

  /** A copy of these options with the compute capability {@code number}.0. */
  public EmulatedOptions withMajor(int number) {
    return new EmulatedOptions(policy, memory, multiprocessors, number, cublas, cudnn);
  }

  /** A copy of these options without cuBLAS. */
  public EmulatedOptions withoutCublas() {
    return new EmulatedOptions(policy, memory, multiprocessors, major, false, cudnn);
  }

  /** A copy of these options without cuDNN. */
  public EmulatedOptions withoutCudnn() {
    return new EmulatedOptions(policy, memory, multiprocessors, major, cublas, false);
  }
}
