package mlpcuda.files;

import mlpcuda.error.BadFileException;

/**
 * Checks that the Java heap has enough free memory before the arrays that a file asks for are
 * allocated.
 */
public final class HeapMemory {
  private HeapMemory() {}

  /**
   * Checks that the heap has {@code bytes} of free memory.
   *
   * @param what what needs the memory, for the message: a file and what is done with it
   * @param bytes the bytes that will be allocated
   * @throws BadFileException if fewer bytes are free, with both numbers
   */
  public static void require(String what, long bytes) {
    if (bytes <= free()) {
      return;
    }
    System.gc(); // garbage counts as free memory only once it was collected
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

  /** The bytes that can be allocated before the heap is at its largest size. */
  public static long free() {
    Runtime runtime = Runtime.getRuntime();
    return total() - runtime.totalMemory() + runtime.freeMemory();
  }

  /** Converts bytes to mebibytes, rounded up. */
  private static long mib(long bytes) {
    return (bytes + (1 << 20) - 1) >> 20;
  }
}
