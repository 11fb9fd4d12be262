package mlpcuda.compute.cuda.ptx.memory;

import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import mlpcuda.compute.cuda.ptx.Lanes;

/**
 * Counts how often a warp's access to shared memory takes a bank more than once.
 *
 * <p>Shared memory has 32 banks of 4 bytes. A warp's access goes in passes: one where a lane
 * accesses up to 4 bytes, two passes of half a warp for 8 bytes, four passes of a quarter for 16
 * bytes. A pass takes as many cycles as there are different words in its busiest bank; lanes that
 * access one word share it. NVIDIA's CUDA C++ Programming Guide describes the banks, and its
 * profilers' documents the passes.
 */
public final class BankConflicts {
  private static final int BANKS = 32;
  private static final int WORD = 4;

  /** The counter of launches of this thread; none where there is no counting. */
  private static final ThreadLocal<BankConflicts> CURRENT = new ThreadLocal<>();

  /**
   * The shared accesses of a kernel.
   *
   * @param degree the most cycles that a pass took: 1 without conflicts
   * @param where the line and the text of an access that took so many
   * @param passes the number of passes
   * @param cycles the number of cycles that they took
   */
  public record Count(int degree, String where, long passes, long cycles) {}

  private final Map<String, Count> counts = new TreeMap<>();
  private final long[] words = new long[BANKS];

  private BankConflicts() {}

  /** Runs launches, and returns the accesses of each kernel among them, by its name. */
  public static Map<String, Count> during(Runnable launches) {
    var conflicts = new BankConflicts();
    CURRENT.set(conflicts);
    try {
      launches.run();
    } finally {
      CURRENT.remove();
    }
    return conflicts.counts;
  }

  /** The counter of this thread's launches; null if they are not counted. */
  public static BankConflicts current() {
    return CURRENT.get();
  }

  /**
   * Counts an access of a warp.
   *
   * @param kernel the kernel's name
   * @param where the line and the text of the access
   * @param bytes the bytes that each lane accesses
   * @param addresses the address of each lane
   * @param mask the lanes that access memory
   */
  public void count(String kernel, String where, int bytes, long[] addresses, int mask) {
    int lanes = Lanes.COUNT / Math.max(1, bytes / WORD);
    for (int first = 0; first < Lanes.COUNT; first += lanes) {
      int pass = mask & (-1 >>> Lanes.COUNT - lanes) << first;
      if (pass != 0) {
        add(kernel, where, degree(bytes, addresses, pass));
      }
    }
  }

  private int degree(int bytes, long[] addresses, int pass) {
    int n = 0;
    for (int m = pass; m != 0; m &= m - 1) {
      long word = addresses[Integer.numberOfTrailingZeros(m)] / WORD;
      for (int w = 0; w < Math.max(1, bytes / WORD); w++) {
        words[n++] = word + w;
      }
    }
    Arrays.sort(words, 0, n);
    int[] busy = new int[BANKS];
    int degree = 0;
    for (int i = 0; i < n; i++) {
      if (i == 0 || words[i] != words[i - 1]) {
        degree = Math.max(degree, ++busy[(int) (words[i] % BANKS)]);
      }
    }
    return degree;
  }

  private void add(String kernel, String where, int degree) {
    counts.compute(
        kernel,
        (name, before) -> {
          Count so = before == null ? new Count(0, "", 0, 0) : before;
          boolean worse = degree > so.degree;
          return new Count(
              worse ? degree : so.degree,
              worse ? where : so.where,
              so.passes + 1,
              so.cycles + degree);
        });
  }
}
