package mlpcuda.compute.cuda.ptx;

/** A piece of the device's memory: its bytes, which of them were written, and who is at them. */
final class Allocation {
  /** Bytes that share a {@link Shadow}. */
  static final int PAGE = 4096;

  final long start;
  final byte[] data;

  /** Whether the launch that runs read it. */
  boolean isRead;

  /** Whether the launch that runs wrote it. */
  boolean isWritten;

  private final long[] written;
  private Shadow[] pages;

  Allocation(long start, int bytes) {
    this.start = start;
    this.data = new byte[bytes];
    this.written = new long[bytes / 64 + 1];
  }

  /** A bit for each byte of an aligned access, in the long of 64 bytes that it is in. */
  static long bits(int at, int bytes) {
    return (1L << bytes) - 1 << at;
  }

  /** Whether all bytes of an aligned access were written ever. */
  boolean isKnown(int at, int bytes) {
    long bits = bits(at, bytes);
    return (written[at >> 6] & bits) == bits;
  }

  /** Notes that all bytes of an aligned access are written. */
  void setKnown(int at, int bytes) {
    written[at >> 6] |= bits(at, bytes);
  }

  /** The first of these bytes that was never written, −1 without. */
  int firstUnknown(int from, int bytes) {
    for (int at = from; at < from + bytes; at++) {
      if (at % 64 == 0 && at + 64 <= from + bytes && written[at >> 6] == -1) {
        at += 63;
      } else if (!isKnown(at, 1)) {
        return at;
      }
    }
    return -1;
  }

  /** Notes that the bytes are written. */
  void setAllKnown(int from, int bytes) {
    for (int at = from; at < from + bytes; at++) {
      if (at % 64 == 0 && at + 64 <= from + bytes) {
        written[at >> 6] = -1;
        at += 63;
      } else {
        setKnown(at, 1);
      }
    }
  }

  /** Who is at the page with that byte in the launch that runs. */
  Shadow page(int at) {
    if (pages == null) {
      pages = new Shadow[data.length / PAGE + 1];
    }
    Shadow page = pages[at / PAGE];
    if (page == null) {
      page = Shadow.ofGlobal(PAGE);
      pages[at / PAGE] = page;
    }
    return page;
  }

  /** A launch ends. */
  void forgetLaunch() {
    pages = null;
    isRead = false;
    isWritten = false;
  }
}
