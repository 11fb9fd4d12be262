package mlpcuda.compute.cuda;

import java.util.Collection;
import java.util.Collections;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import mlpcuda.compute.Precision;
import mlpcuda.compute.cuda.CudaDriver.Shape;

/**
 * Copies of buffers, rounded to a precision, which products read in place of the buffers. They are
 * rounded to TF32, too: cuBLAS may, but need not, use tensor cores for it, and these truncate
 * operands.
 *
 * <p>A buffer gets a copy when a product first reads it. From then on the copy is valid for all
 * that was ever written to the buffer: a kernel that writes inputs, outputs or weights of layers,
 * or gradients of inputs and outputs, writes their copies, too, at {@link #copyOf}, and what
 * another kernel, a library or the host writes there is rounded by {@link #refresh}. Gradients of
 * weights, the optimizer's moments and losses are never operands of products.
 *
 * <p>A launch that was recorded before a copy was made does not have its address: the recording
 * must be made again when {@link #made} has changed.
 */
final class RoundedOperands {
  /** Both operands of a product, rounded. */
  record Operands(DeviceMatrix a, DeviceMatrix b) {}

  /**
   * A buffer of floats that may have a copy.
   *
   * @param copy the address of its copy; 0: it has none
   */
  record Owner(String name, long address, int length, long copy) {
    /** The distance in elements from its beginning to an address. */
    private long element(long at) {
      return (at - address) / Float.BYTES;
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

  /** The size of an operand of products in that precision. */
  static int elementBytes(Precision precision) {
    return precision.isHalf() ? Short.BYTES : Float.BYTES;
  }

  /** The precision of the copies. */
  Precision precision() {
    return precision;
  }

  /** Lets a buffer of floats have a copy, until {@link #remove}. */
  void add(String name, long address, int length) {
    owners.put(address, new Owner(name, address, length, 0));
  }

  /**
   * Frees the copy of the buffer that begins at an address, if it has one; no work that uses it may
   * be left.
   */
  void remove(long address) {
    Owner owner = owners.remove(address);
    if (owner != null && owner.copy != 0) {
      driver.free(owner.copy);
    }
  }

  /** The buffers that may have a copy. */
  Collection<Owner> owners() {
    return Collections.unmodifiableCollection(owners.values());
  }

  /**
   * The copies of a and b: the same elements in the same order, of 16 bits if the precision has as
   * many. The copy of a whole buffer begins at a multiple of 256 bytes.
   *
   * @throws mlpcuda.error.DeviceException if there is no memory for a copy
   */
  Operands round(DeviceMatrix a, DeviceMatrix b) {
    return new Operands(round(a), round(b));
  }

  private DeviceMatrix round(DeviceMatrix matrix) {
    Owner owner = holding(matrix.address());
    if (owner == null) {
      throw new IllegalStateException("an operand of a product must lie in a buffer of floats");
    }
    if (owner.copy == 0) {
      makeCopy(owner);
    }
    return new DeviceMatrix(copyOf(matrix.address()), matrix.rows(), matrix.columns());
  }

  private void makeCopy(Owner owner) {
    long copy;
    try {
      copy = driver.allocate(bytes(owner));
    } catch (CudaException e) {
      String what = "%s rounded to %s".formatted(owner.name, precision.label());
      throw GpuProblem.ofAllocation(e, driver, what, bytes(owner), "");
    }
    owners.put(owner.address, new Owner(owner.name, owner.address, owner.length, copy));
    made++;
    refresh(owner.address, owner.length);
  }

  /** The bytes of a copy of that buffer. */
  private long bytes(Owner owner) {
    return (long) elementBytes(precision) * owner.length;
  }

  /** The buffer of floats that holds an address; null if there is none. */
  private Owner holding(long address) {
    Map.Entry<Long, Owner> before = owners.floorEntry(address);
    return before != null && before.getValue().element(address) < before.getValue().length
        ? before.getValue()
        : null;
  }

  /** The address of the rounded twin of the float at an address; 0 if its buffer has no copy. */
  long copyOf(long address) {
    Owner owner = holding(address);
    return owner == null || owner.copy == 0
        ? 0
        : owner.copy + elementBytes(precision) * owner.element(address);
  }

  /**
   * Arguments that begin with an address and that of its rounded copy, for a kernel that writes
   * both; the second one is 0 where there is no copy.
   *
   * @param rounded the copies; empty in single precision
   */
  static Arguments withCopy(Optional<RoundedOperands> rounded, long address) {
    long copy = rounded.map(copies -> copies.copyOf(address)).orElse(0L);
    return new Arguments().address(address).address(copy);
  }

  /**
   * Rounds the {@code n} floats at an address again, if their buffer has a copy, after they were
   * written by anything but a kernel that writes copies.
   */
  void refresh(long address, int n) {
    long copy = copyOf(address);
    if (copy != 0) {
      var arguments = new Arguments().address(copy).address(address).add("n", n).add(precision);
      int blocks = (n - 1) / BLOCK_ELEMENTS + 1;
      kernels.launch("round_floats", Shape.of(blocks, BLOCK_THREADS), arguments);
    }
  }

  /** Rounds all elements of a matrix again, if its buffer has a copy: see the other method. */
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
