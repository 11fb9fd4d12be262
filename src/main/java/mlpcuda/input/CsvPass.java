package mlpcuda.input;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Consumer;
import java.util.function.Supplier;
import mlpcuda.files.Reason;

/**
 * Goes over a table once: all processors split chunks into cells, and what they make of them is
 * taken in the order of the chunks.
 */
final class CsvPass {
  /** What a processor makes of a chunk. */
  abstract static class Work implements CsvRow.Taker {
    private long linesBefore;

    /** Forgets the chunk before. */
    abstract void begin();

    /** The number of lines before the chunk, once the work is taken. */
    final long linesBefore() {
      return linesBefore;
    }
  }

  /** A chunk and the work on it. */
  private static final class Slot<W extends Work> {
    private final CsvChunk chunk = new CsvChunk();
    private final W work;
    private CompletableFuture<Void> done;
    private long lines;
    private CsvRowException failure;

    Slot(W work) {
      this.work = work;
    }

    void run(char separator) {
      failure = null;
      try {
        if (chunk.isTooLong()) {
          throw new CsvRowException(1, CsvText.tooLong(chunk.isQuoted()));
        }
        work.begin();
        lines = CsvRows.read(chunk, separator, work);
      } catch (CsvRowException e) {
        failure = e;
      }
    }
  }

  private CsvPass() {}

  /**
   * Goes over a table.
   *
   * @param head how the table is split
   * @param chunkBytes the bytes of a chunk
   * @param works makes a work; there are a few more of them than processors
   * @param take takes each work when it is done, in the order of the chunks
   * @throws CsvRowException for the first row that cannot be read, with its line in the file
   */
  static <W extends Work> void run(
      CsvText text, CsvHead head, int chunkBytes, Supplier<W> works, Consumer<W> take) {
    int threads = Runtime.getRuntime().availableProcessors();
    ExecutorService pool = Executors.newFixedThreadPool(threads, CsvPass::daemon);
    try (var chunks = new CsvChunks(text, head.separator(), chunkBytes)) {
      if (head.hasHeader()) {
        chunks.skipRow();
      }
      long lines = chunks.skippedLines();
      Deque<Slot<W>> running = new ArrayDeque<>();
      Deque<Slot<W>> free = new ArrayDeque<>();
      boolean more = true;
      while (more || !running.isEmpty()) {
        if (more && running.size() < threads + 2) {
          Slot<W> next = free.isEmpty() ? new Slot<>(works.get()) : free.remove();
          more = chunks.next(next.chunk);
          if (more) {
            next.done = CompletableFuture.runAsync(() -> next.run(head.separator()), pool);
            running.add(next);
          }
          continue;
        }
        Slot<W> oldest = running.remove();
        lines = take(oldest, lines, take);
        free.add(oldest);
      }
    } catch (IOException e) {
      throw Reason.unreadable(text.name(), e);
    } finally {
      pool.shutdown();
    }
  }

  /** Takes a slot's work; returns the number of lines up to the end of its chunk. */
  private static <W extends Work> long take(Slot<W> slot, long lines, Consumer<W> take) {
    try {
      slot.done.join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof Error error) {
        throw error;
      }
      throw e;
    }
    if (slot.failure != null) {
      throw slot.failure.after(lines);
    }
    Work work = slot.work;
    work.linesBefore = lines;
    take.accept(slot.work);
    return lines + slot.lines;
  }

  private static Thread daemon(Runnable task) {
    var thread = new Thread(task, "reader of a table");
    thread.setDaemon(true);
    return thread;
  }
}
