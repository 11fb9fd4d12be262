package mlpcuda.compute.cuda.ptx.races;

import mlpcuda.compute.cuda.ptx.Lanes;

/**
 * The accesses of a cooperative launch to a page of global memory, by which races between any two
 * of its threads are found: accesses of the same byte, not both reads and not both strong, of which
 * neither comes before the other by {@link Causality}.
 *
 * <p>Memory is tracked in words of 4 bytes until a smaller access comes, then in bytes.
 */
public final class GridPage {
  private static final int WORDS = Shadow.PAGE / 4;
  private static final String NARROW = "scope .cta is for threads of the same block alone";
  private static final String READ_ONLY = "which was read as read-only in the same launch";

  private final Causality order;

  // The stamps of ordinary accesses; 0: none. Where threads that nothing orders read, there is a
  // set of readers in place of a stamp.
  private long[] writers = new long[WORDS];
  private long[] readers = new long[WORDS];
  private AccessSet[] readerSets = new AccessSet[WORDS];
  private Cell[] cells = new Cell[WORDS];
  private boolean bytewise;

  private final ReadOnlyBytes readOnly = new ReadOnlyBytes();

  /** A page without accesses, whose threads are those of {@code order}. */
  public GridPage(Causality order) {
    this.order = order;
  }

  private void tellBytesApart() {
    long[] wordWriters = writers;
    long[] wordReaders = readers;
    AccessSet[] wordSets = readerSets;
    writers = new long[Shadow.PAGE];
    readers = new long[Shadow.PAGE];
    readerSets = new AccessSet[Shadow.PAGE];
    for (int i = 0; i < Shadow.PAGE; i++) {
      writers[i] = wordWriters[i / 4];
      readers[i] = wordReaders[i / 4];
      readerSets[i] = wordSets[i / 4] == null ? null : wordSets[i / 4].copy();
    }
    bytewise = true;
  }

  private int first(int at, int bytes) {
    if (bytes < 4 && !bytewise) {
      tellBytesApart();
    }
    return bytewise ? at : at >> 2;
  }

  private int units(int bytes) {
    return bytewise ? bytes : bytes >> 2;
  }

  private Cell cell(int unit) {
    int word = bytewise ? unit >> 2 : unit;
    if (cells[word] == null) {
      cells[word] = new Cell(order);
    }
    return cells[word];
  }

  private Cell cellOrNull(int unit) {
    return cells[bytewise ? unit >> 2 : unit];
  }

  // ---- ordinary accesses ----

  /** Notes a thread's ordinary read; null, or the race that it is. */
  public String read(int at, int bytes, int thread, int pc) {
    int first = first(at, bytes);
    long me = order.stamp(thread, pc);
    for (int i = first, end = first + units(bytes); i < end; i++) {
      if (writers[i] != 0 && !order.isBefore(writers[i], thread)) {
        return readOf(writers[i], thread);
      }
      Cell cell = cellOrNull(i);
      long strong = cell == null ? 0 : unorderedWrite(cell, thread, false);
      if (strong != 0) {
        return readOf(strong, thread)
            + "; an ordinary load may see an old value for ever, where ld.acquire or ld.volatile"
            + " sees the new one";
      }
      noteReader(i, me, thread);
    }
    return null;
  }

  private void noteReader(int unit, long me, int thread) {
    AccessSet set = readerSets[unit];
    if (set != null) {
      set.add(me);
    } else if (readers[unit] == 0 || order.isBefore(readers[unit], thread)) {
      readers[unit] = me;
    } else {
      set = new AccessSet(order);
      set.add(readers[unit]);
      set.add(me);
      readerSets[unit] = set;
    }
  }

  /** Notes a thread's ordinary write; null, or the race that it is. */
  public String write(int at, int bytes, int thread, int pc) {
    if (readOnly.hasAny(at, bytes)) {
      return READ_ONLY;
    }
    int first = first(at, bytes);
    long me = order.stamp(thread, pc);
    for (int i = first, end = first + units(bytes); i < end; i++) {
      String race = raceOfWrite(i, thread);
      if (race != null) {
        return race;
      }
      Cell cell = cellOrNull(i);
      if (cell != null) {
        long write = unorderedWrite(cell, thread, false);
        long read = unorderedRead(cell, thread, false);
        if (write != 0 || read != 0) {
          return write != 0 ? writeAfter("write", write, thread) : writeAfter("read", read, thread);
        }
        cells[bytewise ? i >> 2 : i] = null;
      }
      writers[i] = me;
      readers[i] = 0;
      readerSets[i] = null;
    }
    return null;
  }

  /** The race of a write with earlier ordinary accesses; null if there is none. */
  private String raceOfWrite(int unit, int thread) {
    if (writers[unit] != 0 && !order.isBefore(writers[unit], thread)) {
      return writeAfter("write", writers[unit], thread);
    }
    AccessSet set = readerSets[unit];
    long read = set == null ? readers[unit] : set.unordered(thread, false);
    return read != 0 && !order.isBefore(read, thread) ? writeAfter("read", read, thread) : null;
  }

  /**
   * The lane of a warp that wrote there last, at this time; −1 if it was another thread.
   *
   * @param warp the warp's number in the grid
   */
  public int laneThatWrote(int at, int bytes, int warp) {
    long stamp = writers[first(at, bytes)];
    int thread = Causality.thread(stamp);
    boolean ours =
        stamp != 0
            && thread / Lanes.COUNT == warp
            && Causality.time(stamp) == Causality.time(order.stamp(thread, 0));
    return ours ? thread % Lanes.COUNT : -1;
  }

  /** Notes a read as if nobody writes here in this launch; null, or who did. */
  public String readConstant(int at, int bytes) {
    int first = first(at, bytes);
    for (int i = first, end = first + units(bytes); i < end; i++) {
      Cell cell = cellOrNull(i);
      if (writers[i] != 0 || cell != null && cell.block >= 0) {
        return "read-only, but written in the same launch"
            + (writers[i] != 0 ? " by " + order.who(writers[i]) : "");
      }
    }
    readOnly.add(at, bytes);
    return null;
  }

  // ---- strong accesses ----

  private static long unorderedWrite(Cell cell, int thread, boolean ofOtherBlocks) {
    long write = cell.writes.unordered(thread, ofOtherBlocks);
    return write != 0 ? write : cell.writesInBlock.unordered(thread, ofOtherBlocks);
  }

  private static long unorderedRead(Cell cell, int thread, boolean ofOtherBlocks) {
    long read = cell.reads.unordered(thread, ofOtherBlocks);
    return read != 0 ? read : cell.readsInBlock.unordered(thread, ofOtherBlocks);
  }

  /** Notes a thread's strong read, which may acquire; null, or the race that it is. */
  public String readStrongly(int at, int bytes, int thread, int pc, Ordering ordering) {
    int first = first(at, bytes);
    for (int i = first, end = first + units(bytes); i < end; i++) {
      if (writers[i] != 0 && !order.isBefore(writers[i], thread)) {
        return readOf(writers[i], thread);
      }
      Cell cell = cell(i);
      long write =
          ordering.beyondBlock()
              ? cell.writesInBlock.unordered(thread, true)
              : unorderedWrite(cell, thread, true);
      if (write != 0) {
        return readOf(write, thread) + "; " + NARROW;
      }
      (ordering.beyondBlock() ? cell.reads : cell.readsInBlock).add(order.stamp(thread, pc));
      order.read(cell, thread, ordering);
    }
    return null;
  }

  /**
   * Notes a thread's strong write, which may release; null, or the race that it is.
   *
   * @param updates whether it is one with the read of the value before
   */
  public String writeStrongly(
      int at, int bytes, int thread, int pc, Ordering ordering, boolean updates) {
    if (readOnly.hasAny(at, bytes)) {
      return READ_ONLY;
    }
    int first = first(at, bytes);
    for (int i = first, end = first + units(bytes); i < end; i++) {
      String race = raceOfWrite(i, thread);
      if (race != null) {
        return race;
      }
      Cell cell = cell(i);
      boolean beyond = ordering.beyondBlock();
      long write =
          beyond ? cell.writesInBlock.unordered(thread, true) : unorderedWrite(cell, thread, true);
      long read =
          beyond ? cell.readsInBlock.unordered(thread, true) : unorderedRead(cell, thread, true);
      if (write != 0 || read != 0) {
        String other = write != 0 ? "write" : "read";
        return writeAfter(other, write != 0 ? write : read, thread) + "; " + NARROW;
      }
      (beyond ? cell.writes : cell.writesInBlock).add(order.stamp(thread, pc));
      order.write(cell, thread, ordering, updates);
    }
    return null;
  }

  // ---- messages ----

  private String readOf(long written, int thread) {
    int other = Causality.thread(written);
    if (order.block(other) == order.block(thread)) {
      return "a race with the write by " + order.who(written) + " without a barrier between";
    }
    return order.isPublished(written)
        ? "data read without an acquire: the write by "
            + order.who(written)
            + " was released, but nothing that this thread acquired or met at a barrier comes"
            + " after that"
        : "data published without a release: nothing has released the write by "
            + order.who(written);
  }

  private String writeAfter(String access, long stamp, int thread) {
    boolean sameBlock = order.block(Causality.thread(stamp)) == order.block(thread);
    return "a race with the "
        + access
        + " by "
        + order.who(stamp)
        + (sameBlock
            ? " without a barrier between"
            : ", which no release and acquire put before this write");
  }
}
