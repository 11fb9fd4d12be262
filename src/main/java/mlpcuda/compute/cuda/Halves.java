package mlpcuda.compute.cuda;

import java.util.ArrayList;
import java.util.List;
import mlpcuda.compute.Precision;

/** Operands of 16 bits, rounded to where cuBLAS finds them. */
final class Halves implements AutoCloseable {
  /** Where both operands of a product are, each as long as it was. */
  record Operands(long a, long b) {}

  /** What cuBLAS reads fastest begins at a multiple of so many bytes. */
  private static final int ALIGNMENT = 256;

  private final CudaDriver driver;
  private final Kernels kernels;
  private final Precision precision;
  private final List<Long> memory = new ArrayList<>(); // the last is used; graphs know the others
  private long bytes; // of the last

  /** {@code kernels}: module layers, which is closed by whoever made it. */
  Halves(CudaDriver driver, Kernels kernels, Precision precision) {
    this.driver = driver;
    this.kernels = kernels;
    this.precision = precision;
  }

  /** a (nA) and b (nB), rounded; until the next call. */
  Operands round(long a, int nA, long b, int nB) {
    long beginOfB = ((long) Short.BYTES * nA - 1) / ALIGNMENT * ALIGNMENT + ALIGNMENT;
    long wanted = beginOfB + (long) Short.BYTES * nB;
    if (wanted > bytes) { // in the first batch of its size, which is never recorded
      memory.add(driver.allocate(wanted));
      bytes = wanted;
    }
    long a16 = memory.get(memory.size() - 1);
    long b16 = a16 + beginOfB;
    var arguments = new Arguments().address(a16).address(b16).address(a).address(b);
    arguments.add("nA", nA).add("nB", nB).add("precision", precision.ordinal());
    kernels.launch("round_operands", Kernels.cover(Math.max(nA, nB)), arguments);
    return new Operands(a16, b16);
  }

  @Override
  public void close() {
    memory.forEach(driver::free);
  }
}
