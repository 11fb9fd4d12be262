package mlpcuda.compute.cuda.ptx.execute;

import java.util.function.LongPredicate;
import mlpcuda.compute.cuda.ptx.Lanes;
import mlpcuda.compute.cuda.ptx.arithmetic.Comparisons;
import mlpcuda.compute.cuda.ptx.machine.Instruction;
import mlpcuda.compute.cuda.ptx.machine.Warp;
import mlpcuda.compute.cuda.ptx.parse.Statement;

/** Instructions to and from predicates: a predicate is a bit for each lane. */
public final class Predicates {
  /** A logical operation on predicates. */
  @FunctionalInterface
  public interface Logic {
    int combine(int a, int b);
  }

  private Predicates() {}

  private static void set(Warp warp, int index, int value, int mask) {
    if (index >= 0) {
      int[] p = warp.predicates;
      p[index] = p[index] & ~mask | value & mask;
    }
  }

  /** setp: p = (a ? b) op c, q = !(a ? b) op c. */
  public static final class Compare extends Instruction {
    private final Comparisons.Comparison comparison;
    private final Logic logic;
    private final int p;
    private final int q;
    private final int a;
    private final int b;
    private final int c;
    private final int flip;

    /** {@code q} and {@code c} are −1 if there are none; {@code flip} negates c. */
    public Compare(
        Statement statement,
        Comparisons.Comparison comparison,
        Logic logic,
        int[] results,
        int[] sources,
        int c,
        int flip) {
      super(statement);
      this.comparison = comparison;
      this.logic = logic;
      this.p = results[0];
      this.q = results[1];
      this.a = sources[0];
      this.b = sources[1];
      this.c = c;
      this.flip = flip;
    }

    @Override
    public void run(Warp warp, int pc, int mask) {
      int holds = comparison.lanes(warp.registers[a], warp.registers[b]);
      int with = c < 0 ? 0 : warp.predicates[c] ^ flip;
      set(warp, p, logic.combine(holds, with), mask);
      set(warp, q, logic.combine(~holds, with), mask);
    }
  }

  /** The instructions and, or, xor, not and mov on predicates. */
  public static final class Combine extends Instruction {
    private final Logic logic;
    private final int d;
    private final int a;
    private final int b;

    public Combine(Statement statement, Logic logic, int d, int a, int b) {
      super(statement);
      this.logic = logic;
      this.d = d;
      this.a = a;
      this.b = b;
    }

    @Override
    public void run(Warp warp, int pc, int mask) {
      set(warp, d, logic.combine(warp.predicates[a], warp.predicates[b]), mask);
    }
  }

  /** selp: d = p ? a : b. */
  public static final class Select extends Instruction {
    private final int d;
    private final int a;
    private final int b;
    private final int p;
    private final int flip;

    public Select(Statement statement, int d, int a, int b, int p, int flip) {
      super(statement);
      this.d = d;
      this.a = a;
      this.b = b;
      this.p = p;
      this.flip = flip;
    }

    @Override
    public void run(Warp warp, int pc, int mask) {
      int choice = warp.predicates[p] ^ flip;
      long[] to = warp.registers[d];
      long[] yes = warp.registers[a];
      long[] no = warp.registers[b];
      for (int m = mask; m != 0; m &= m - 1) {
        int lane = Integer.numberOfTrailingZeros(m);
        to[lane] = (choice >> lane & 1) != 0 ? yes[lane] : no[lane];
      }
    }
  }

  /** testp: p = a test of a. */
  public static final class Test extends Instruction {
    private final LongPredicate test;
    private final int p;
    private final int a;

    public Test(Statement statement, LongPredicate test, int p, int a) {
      super(statement);
      this.test = test;
      this.p = p;
      this.a = a;
    }

    @Override
    public void run(Warp warp, int pc, int mask) {
      int holds = 0;
      for (int i = 0; i < Lanes.COUNT; i++) {
        holds |= test.test(warp.registers[a][i]) ? 1 << i : 0;
      }
      set(warp, p, holds, mask);
    }
  }

  /** vote: combines the predicates of the lanes that meet. */
  public static final class Vote extends Meeting {
    private final String kind;
    private final int d;
    private final int a;
    private final int flip;

    /** {@code kind} is all, any, uni or ballot; {@code d} is a register for ballot. */
    public Vote(Statement statement, String kind, int d, int a, int flip, int members) {
      super(statement, members);
      this.kind = kind;
      this.d = d;
      this.a = a;
      this.flip = flip;
    }

    @Override
    void meet(Warp warp, int pc, int mask) {
      long[] members = warp.registers[members()];
      for (int m = mask; m != 0; m &= m - 1) {
        int lane = Integer.numberOfTrailingZeros(m);
        int all = (int) members[lane];
        int votes = (warp.predicates[a] ^ flip) & all;
        if (kind.equals("ballot")) {
          warp.registers[d][lane] = votes;
        } else {
          boolean result =
              switch (kind) {
                case "all" -> votes == all;
                case "any" -> votes != 0;
                default -> votes == 0 || votes == all;
              };
          warp.scratch[lane] = result ? 1 : 0;
        }
      }
      if (!kind.equals("ballot")) {
        int holds = 0;
        for (int m = mask; m != 0; m &= m - 1) {
          int lane = Integer.numberOfTrailingZeros(m);
          holds |= warp.scratch[lane] != 0 ? 1 << lane : 0;
        }
        set(warp, d, holds, mask);
      }
    }
  }
}
