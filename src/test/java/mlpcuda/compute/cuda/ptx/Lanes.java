package mlpcuda.compute.cuda.ptx;

/**
 * An operation on registers, for all 32 lanes. It computes inactive lanes, too, and their results
 * are dropped, so it must not fail whatever they hold.
 *
 * <p>A register is 32 longs. One of fewer bits has them at the lower end and anything above, so the
 * reader must narrow it.
 */
@FunctionalInterface
public interface Lanes {
  /** The number of lanes of a warp. */
  int COUNT = 32;

  void compute(long[] d, long[] a, long[] b, long[] c);
}
