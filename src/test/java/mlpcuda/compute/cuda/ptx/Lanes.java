package mlpcuda.compute.cuda.ptx;

/**
 * An operation on registers, for all 32 lanes: it computes inactive lanes too, whose results are
 * dropped, so it must not fail whatever they hold.
 *
 * <p>A register is 32 longs. One of fewer bits has them at the lower end and anything above, so
 * whoever reads it narrows.
 */
@FunctionalInterface
interface Lanes {
  /** Number of lanes of a warp. */
  int COUNT = 32;

  void compute(long[] d, long[] a, long[] b, long[] c);
}
