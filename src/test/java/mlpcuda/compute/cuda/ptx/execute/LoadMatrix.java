package mlpcuda.compute.cuda.ptx.execute;

import mlpcuda.compute.cuda.ptx.Lanes;
import mlpcuda.compute.cuda.ptx.machine.Warp;
import mlpcuda.compute.cuda.ptx.memory.DeviceMemory;
import mlpcuda.compute.cuda.ptx.parse.Statement;
import mlpcuda.compute.cuda.ptx.races.Shadow;

/**
 * ldmatrix.sync.aligned.m8n8 of b16: a warp loads up to four matrices of 8 rows and 8 columns from
 * shared memory. Lane 8 m + r has the address of row r of matrix m. Each lane gets two neighbouring
 * elements of each matrix, of a row or, transposed, of a column.
 *
 * <p>A read counts as one by the lane that gets the element, in words of two elements.
 */
public final class LoadMatrix extends MemoryAccess {
  private static final int ROWS = 8;
  private static final int ROW_BYTES = 16;
  private static final int WORD = 4;

  private final int[] to;
  private final boolean transposed;
  private final int checked;

  /**
   * A load of matrices.
   *
   * @param to the register of each matrix
   * @param allValid whether lanes whose addresses nobody reads must have valid ones too, as on
   *     sm_75
   */
  public LoadMatrix(
      Statement statement, Address address, int[] to, boolean transposed, boolean allValid) {
    super(statement, address, ROW_BYTES);
    this.to = to;
    this.transposed = transposed;
    this.checked = allValid ? -1 : -1 >>> Lanes.COUNT - ROWS * to.length;
  }

  @Override
  public boolean isControl() {
    return true;
  }

  @Override
  public boolean isMeeting() {
    return true;
  }

  @Override
  public void run(Warp warp, int pc, int mask) {
    if (!WholeWarp.isHere(this, warp, pc, mask)) {
      return;
    }
    countBankConflicts(warp, -1 >>> Lanes.COUNT - ROWS * to.length);
    int[] rows = new int[Lanes.COUNT];
    for (int m = checked; m != 0; m &= m - 1) {
      int lane = Integer.numberOfTrailingZeros(m);
      rows[lane] = checkShared(warp, pc, lane, address(warp, lane));
    }
    for (int matrix = 0; matrix < to.length; matrix++) {
      for (int lane = 0; lane < Lanes.COUNT; lane++) {
        int major = lane >> 2;
        int pair = lane & 3;
        int first = matrix * ROWS;
        int bits;
        if (transposed) {
          int shift = (major & 1) * 16;
          int low = word(warp, pc, lane, rows[first + 2 * pair], major >> 1) >>> shift;
          int high = word(warp, pc, lane, rows[first + 2 * pair + 1], major >> 1) >>> shift;
          bits = high << 16 | low & 0xffff;
        } else {
          bits = word(warp, pc, lane, rows[first + major], pair);
        }
        warp.scratch[lane] = Integer.toUnsignedLong(bits);
      }
      System.arraycopy(warp.scratch, 0, warp.registers[to[matrix]], 0, Lanes.COUNT);
    }
    warp.go(pc + 1, mask);
  }

  /** Reads two neighbouring elements of a row. */
  private static int word(Warp warp, int pc, int lane, int row, int pair) {
    int at = row + WORD * pair;
    Shadow shadow = warp.block.sharedShadow;
    if (!shadow.read(at, WORD, warp.clock, lane)) {
      String race = shadow.explain(at, WORD, warp.clock, lane, false, warp.block);
      throw warp.fault(pc, lane, "at " + DeviceMemory.hex(at) + ": " + race);
    }
    return (int) INTS.get(warp.block.shared, at);
  }
}
