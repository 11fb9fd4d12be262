package mlpcuda.compute.cuda;

/**
 * The properties of a GPU.
 *
 * @param index the GPU's number as CUDA counts, CUDA_VISIBLE_DEVICES honoured
 * @param name the name that the driver gives it
 * @param capability the version of its instruction set
 * @param memory the size of its memory in bytes
 * @param multiprocessors the processors that run its blocks
 * @param driver the newest CUDA that its driver supports
 */
public record GpuProperties(
    int index,
    String name,
    Capability capability,
    long memory,
    Multiprocessors multiprocessors,
    CudaVersion driver) {
  /** A compute capability: NVIDIA's version of a GPU's instruction set, as 8.6. */
  public record Capability(int major, int minor) {
    /** Whether this capability is {@code other} or a newer one. */
    public boolean isAtLeast(Capability other) {
      return major > other.major || major == other.major && minor >= other.minor;
    }

    @Override
    public String toString() {
      return major + "." + minor;
    }
  }

  /**
   * The multiprocessors of a GPU, which are all alike.
   *
   * @param count the number of them: so many blocks run side by side at least
   * @param sharedBytes the most bytes of shared memory that a block may have, dynamic ones included
   * @param cooperative whether the GPU takes cooperative launches, whose blocks all run at once
   */
  public record Multiprocessors(int count, int sharedBytes, boolean cooperative) {}

  /**
   * A version of CUDA.
   *
   * @param number the version in the driver's form: 12060 is CUDA 12.6
   */
  public record CudaVersion(int number) {
    /** Whether this version is {@code other} or a newer one. */
    public boolean isAtLeast(CudaVersion other) {
      return number >= other.number;
    }

    @Override
    public String toString() {
      return "CUDA %d.%d".formatted(number / 1000, number % 1000 / 10);
    }
  }

  /** Describes the GPU in one line for people. */
  public String describe() {
    return "GPU %d: %s, compute capability %s, %s, driver for %s"
        .formatted(index, name, capability, size(memory), driver);
  }

  /** Formats a number of bytes in the largest unit that leaves a whole number before the point. */
  public static String size(long bytes) {
    String[] units = {"bytes", "KiB", "MiB", "GiB", "TiB"};
    int unit = 0;
    double size = bytes;
    while (size >= 1024 && unit < units.length - 1) {
      size /= 1024;
      unit++;
    }
    return unit == 0 ? bytes + " bytes" : "%.1f %s".formatted(size, units[unit]);
  }
}
