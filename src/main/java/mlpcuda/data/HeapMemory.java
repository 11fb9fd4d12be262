package mlpcuda.data;

import mlpcuda.error.BadFileException;

/** Tells whether the Java heap has room for what a file asks for, before it is allocated. */
public final class HeapMemory {
  private HeapMemory() {}

  /**
   * Checks that the heap has room.
   *
   * @param what what needs the memory, for the message: a file and what is done with it
   * @param bytes the bytes that will be allocated
   * @throws BadFileException if fewer bytes are free, with both numbers
   */
  public static void require(String what, long bytes) {
    if (bytes <= free()) {
      return;
    }
    System.gc(); // what nobody needs any more is not counted as free until then
    long free = free();
    if (bytes > free) {
      throw new BadFileException(
          "%s needs %,d MiB of the Java heap, and %,d MiB are free; java -Xmx%dm gives it more"
              .formatted(what, mib(bytes), free >> 20, mib(bytes + total() - free) + 64));
    }
  }

  private static long total() {
    return Runtime.getRuntime().maxMemory();
  }

  private static long free() {
    Runtime runtime = Runtime.getRuntime();
    return total() - runtime.totalMemory() + runtime.freeMemory();
  }

  /** Mebibytes, rounded up. */
  private static long mib(long bytes) {
    return (bytes + (1 << 20) - 1) >> 20;
  }
}
