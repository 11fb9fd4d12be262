package mlpcuda.compute.cuda.ptx.races;

/** The bytes of a page that were read by ld.global.nc, as if nobody writes them in this launch. */
final class ReadOnlyBytes {
  private long[] bits;

  /** Notes an aligned read. */
  void add(int at, int bytes) {
    if (bits == null) {
      bits = new long[Shadow.PAGE / Long.SIZE];
    }
    bits[at / Long.SIZE] |= mask(at, bytes);
  }

  /** Whether a byte of an aligned access is among them. */
  boolean hasAny(int at, int bytes) {
    return bits != null && (bits[at / Long.SIZE] & mask(at, bytes)) != 0;
  }

  /** A bit for each byte of the access; a shift by {@code at} takes its lowest six bits alone. */
  private static long mask(int at, int bytes) {
    return (1L << bytes) - 1 << at;
  }
}
