package mlpcuda.compute.cuda.ptx.memory;

import mlpcuda.compute.cuda.ptx.races.Causality;
import mlpcuda.compute.cuda.ptx.races.GridPage;
import mlpcuda.compute.cuda.ptx.races.Shadow;

/** A piece of the device's memory: its bytes, which of them were written, and who accessed them. */
public final class Allocation {
  public final long start;
  public final byte[] data;

  /** Whether the current launch read it. */
  public boolean isRead;

  /** Whether the current launch wrote it. */
  public boolean isWritten;

  private final long[] written;
  private Shadow[] pages;
  private GridPage[] gridPages;

  Allocation(long start, int bytes) {
    this.start = start;
    this.data = new byte[bytes];
    this.written = new long[bytes / 64 + 1];
  }

  /** A mask with a bit for each byte of an aligned access, in the long of its 64 bytes. */
  private static long bits(int at, int bytes) {
    return (1L << bytes) - 1 << at;
  }

  /** Whether all bytes of an aligned access were ever written. */
  public boolean isKnown(int at, int bytes) {
    long bits = bits(at, bytes);
    return (written[at >> 6] & bits) == bits;
  }

  /** Notes that all bytes of an aligned access are written. */
  public void setKnown(int at, int bytes) {
    written[at >> 6] |= bits(at, bytes);
  }

  /** The first of these bytes that was never written; −1 if there is none. */
  public int firstUnknown(int from, int bytes) {
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

  /** The accesses of the current launch to the page with that byte. */
  public Shadow page(int at) {
    if (pages == null) {
      pages = new Shadow[data.length / Shadow.PAGE + 1];
    }
    Shadow page = pages[at / Shadow.PAGE];
    if (page == null) {
      page = Shadow.ofGlobal();
      pages[at / Shadow.PAGE] = page;
    }
    return page;
  }

  /** The accesses of the current cooperative launch to the page with that byte. */
  public GridPage page(int at, Causality order) {
    if (gridPages == null) {
      gridPages = new GridPage[data.length / Shadow.PAGE + 1];
    }
    GridPage page = gridPages[at / Shadow.PAGE];
    if (page == null) {
      page = new GridPage(order);
      gridPages[at / Shadow.PAGE] = page;
    }
    return page;
  }

  /** Forgets the accesses of a launch, at its end. */
  public void forgetLaunch() {
    pages = null;
    gridPages = null;
    isRead = false;
    isWritten = false;
  }
}
