package mlpcuda.compute.cuda;

import java.util.Map;
import java.util.TreeMap;
import mlpcuda.compute.Precision;
import mlpcuda.compute.cuda.CudaDriver.Shape;

/**
 * Copies of buffers, rounded to a precision, which products read in place of the buffers. They are
 * rounded to TF32, too: cuBLAS may, but need not, use tensor cores for it, and these truncate
 * operands.
 *
 * <p>A buffer gets a copy when a product first reads it. From then on the copy is valid for all
 * that was ever written to the buffer: each kernel that writes the buffer writes the copy, too, at
 * {@link #copyOf}, and what other than such a kernel writes is rounded by {@link #refresh}. A
 * recorded launch has no copy's address if it was recorded before the copy was made, so that a
 * recording must be made again when {@link #made} has changed.
 */
final class RoundedOperands {
  /** Both operands of a product, rounded. */
  record Operands(DeviceMatrix a, DeviceMatrix b) {}

  /** A buffer of floats. */
  private static final class Owner {
    final String name;
    final int length;
    long copy; // the address of its copy; 0: it has none

    Owner(String name, int length) {
      this.name = name;
      this.length = length;
    }
  }

  /** The elements that a block of the kernel rounds. */
  private static final int BLOCK_ELEMENTS = 2048;

  private static final int BLOCK_THREADS = 256;

  private final CudaDriver driver;
  private final KernelModule kernels;
  private final Precision precision;
  private final TreeMap<Long, Owner> owners = new TreeMap<>(); // by address
  private int made;

  /** {@code kernels} is the module layers, which is closed by its maker. */
  RoundedOperands(CudaDriver driver, KernelModule kernels, Precision precision) {
    this.driver = driver;
    this.kernels = kernels;
    this.precision = precision;
  }

  /** The precision of the copies. */
  Precision precision() {
    return precision;
  }

  /** The size of a copy's element. */
  static int elementBytes(Precision precision) {
    return precision.isHalf() ? Short.BYTES : Float.BYTES;
  }

  /** Lets a buffer of floats have a copy, until {@link #remove}. */
  void add(String name, long address, int length) {
    owners.put(address, new Owner(name, length));
  }

  /**
   * Frees the copy of the buffer at that address, if it has one, after all work that may use it.
   */
  void remove(long address) {
    Owner owner = owners.remove(address);
    if (owner != null && owner.copy != 0) {
      driver.free(owner.copy);
    }
  }

  /**
   * The copies of a and b: the same elements in the same order, of 16 bits if the precision has as
   * many. The copy of a whole buffer begins at a multiple of 256 bytes.
   */
  Operands round(DeviceMatrix a, DeviceMatrix b) {
    return new Operands(round(a), round(b));
  }

  private DeviceMatrix round(DeviceMatrix matrix) {
    Map.Entry<Long, Owner> found = holding(matrix.address());
    if (found == null) {
      throw new IllegalStateException("operands of products must lie in a buffer of floats");
    }
    if (found.getValue().copy == 0) {
      makeCopy(found.getKey(), found.getValue());
    }
    return new DeviceMatrix(copyOf(matrix.address()), matrix.rows(), matrix.columns());
  }

  private void makeCopy(long address, Owner owner) {
    long bytes = bytes(owner);
    try {
      owner.copy = driver.allocate(bytes);
    } catch (CudaException e) {
      String what = "%s, rounded to %s".formatted(owner.name, precision.label());
      throw GpuProblem.ofAllocation(e, driver, what, bytes, "");
    }
    made++;
    refresh(address, owner.length);
  }

  private long bytes(Owner owner) {
    return (long) elementBytes(precision) * owner.length;
  }

  /** The buffer that holds an address, by its own address; null if there is none. */
  private Map.Entry<Long, Owner> holding(long address) {
    Map.Entry<Long, Owner> before = owners.floorEntry(address);
    return before != null
            && address - before.getKey() < (long) Float.BYTES * before.getValue().length
        ? before
        : null;
  }

  /** The address of the rounded twin of the float at an address; 0 if its buffer has no copy. */
  long copyOf(long address) {
    Map.Entry<Long, Owner> found = holding(address);
    if (found == null || found.getValue().copy == 0) {
      return 0;
    }
    long element = (address - found.getKey()) / Float.BYTES;
    return found.getValue().copy + elementBytes(precision) * element;
  }

  /**
   * Rounds the {@code n} floats at an address again, if their buffer has a copy: for what was
   * written by other than a kernel that writes copies.
   */
  void refresh(long address, int n) {
    long copy = copyOf(address);
    if (copy != 0) {
      var arguments = new Arguments().address(copy).address(address);
      arguments.add("n", n).add(precision);
      int blocks = (n - 1) / BLOCK_ELEMENTS + 1;
      kernels.launch("round_floats", Shape.of(blocks, BLOCK_THREADS), arguments);
    }
  }

  /** {@link #refresh(long, int)} of all elements of a matrix. */
  void refresh(DeviceMatrix written) {
    refresh(written.address(), written.length());
  }

  /** The number of copies that were made so far; those that are freed count, too. */
  int made() {
    return made;
  }

  /** The bytes of all copies. */
  long liveBytes() {
    return owners.values().stream().filter(o -> o.copy != 0).mapToLong(this::bytes).sum();
  }
}
