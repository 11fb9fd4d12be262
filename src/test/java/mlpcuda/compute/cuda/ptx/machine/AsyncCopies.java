package mlpcuda.compute.cuda.ptx.machine;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import mlpcuda.compute.cuda.ptx.Lanes;
import mlpcuda.compute.cuda.ptx.memory.Allocation;

/**
 * The asynchronous copies to a block's shared memory that are under way: cp.async with its groups.
 * A device may finish a copy at any time until its thread has waited for it. Here a copy is made as
 * late as that, and its bytes must not be touched before.
 */
public final class AsyncCopies {
  /**
   * A copy under way.
   *
   * @param pc the instruction that issued it
   * @param thread the issuing thread's number in its block
   * @param source the allocation to copy from; null if no byte of it is copied
   * @param from the first byte of the source that is copied
   * @param bytes the number of bytes that are copied
   * @param to the first byte in shared memory
   * @param data what is written there: the source's bytes when the copy was issued, then zeros
   */
  public record Copy(
      int pc, int thread, Allocation source, int from, int bytes, int to, byte[] data) {}

  private static final int WORD = 4; // a copy has at least so many bytes, and is aligned to them

  /** The copies of a thread. */
  private static final class Queue {
    private final ArrayDeque<List<Copy>> groups = new ArrayDeque<>();
    private List<Copy> open = new ArrayList<>();
  }

  private final Block block;
  private final Queue[] ofThread;
  private Copy[] ofWord; // null until a first copy
  private int underWay;

  AsyncCopies(Block block, int warps) {
    this.block = block;
    this.ofThread = new Queue[warps * Lanes.COUNT];
  }

  /** Forgets the copies of the block before. A block may end while copies are under way. */
  void start() {
    Arrays.fill(ofThread, null);
    ofWord = null;
    underWay = 0;
  }

  private Queue queue(int thread) {
    if (ofThread[thread] == null) {
      ofThread[thread] = new Queue();
    }
    return ofThread[thread];
  }

  /** Notes a copy that a thread issues; no other may be under way to those bytes. */
  public void issue(Copy copy) {
    if (ofWord == null) {
      ofWord = new Copy[(block.shared.length + WORD - 1) / WORD];
    }
    queue(copy.thread()).open.add(copy);
    mark(copy, copy);
    underWay++;
  }

  private void mark(Copy copy, Copy as) {
    for (int i = 0; i < copy.data().length / WORD; i++) {
      ofWord[copy.to() / WORD + i] = as;
    }
  }

  /** A thread puts the copies that it has issued since its last group into one more group. */
  public void commit(int thread) {
    Queue queue = queue(thread);
    queue.groups.add(queue.open);
    queue.open = new ArrayList<>();
  }

  /**
   * A thread waits until at most {@code pending} of its last groups are under way.
   *
   * @return the copies that end by that, which the caller makes
   */
  public List<Copy> await(int thread, int pending) {
    List<Copy> ended = new ArrayList<>();
    Queue queue = queue(thread);
    while (queue.groups.size() > pending) {
      ended.addAll(queue.groups.remove());
    }
    ended.forEach(copy -> mark(copy, null));
    underWay -= ended.size();
    return ended;
  }

  /** Says which copy to these bytes of shared memory is under way; null if none is. */
  public String explain(int at, int bytes) {
    for (int i = at / WORD; underWay > 0 && i <= (at + bytes - 1) / WORD; i++) {
      if (ofWord[i] != null) {
        return explain(ofWord[i]);
      }
    }
    return null;
  }

  private String explain(Copy copy) {
    Queue queue = ofThread[copy.thread()];
    int newer = queue.groups.size();
    for (List<Copy> group : queue.groups) {
      newer--;
      if (group.contains(copy)) {
        break;
      }
    }
    return "where a copy by "
        + block.thread(copy.thread())
        + " is under way (cp.async in line "
        + block.launch.program.code()[copy.pc()].statement.line()
        + "), for which that thread has not waited: it has "
        + (queue.open.contains(copy)
            ? "put the copy into no group"
            : "committed " + newer + " groups after that of the copy");
  }
}
