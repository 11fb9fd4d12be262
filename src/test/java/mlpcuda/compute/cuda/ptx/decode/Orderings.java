package mlpcuda.compute.cuda.ptx.decode;

import mlpcuda.compute.cuda.ptx.parse.Opcode;
import mlpcuda.compute.cuda.ptx.races.Ordering;

/** Reads from opcodes what strong accesses and fences order. */
final class Orderings {
  private Orderings() {}

  /**
   * Takes .sem and .scope of a load or a store; null for an ordinary one.
   *
   * @param sem what orders others: acquire for a load, release for a store
   */
  static Ordering ofAccess(Opcode op, String sem) {
    // A volatile access is a relaxed one of scope .sys.
    if (op.take("volatile")) {
      return new Ordering(false, false, true);
    }
    if (op.take("weak")) {
      return null;
    }
    boolean orders = op.take(sem);
    if (!orders && !op.take("relaxed")) {
      return null;
    }
    String scope = op.takeOneOf("cta", "gpu", "sys");
    if (scope == null) {
      throw op.statement.fault("names no scope that is known to the emulator");
    }
    return new Ordering(
        orders && sem.equals("acquire"), orders && sem.equals("release"), !scope.equals("cta"));
  }

  /** Takes .sem and .scope of an atomic operation, which is relaxed for the GPU by default. */
  static Ordering ofAtomic(Opcode op) {
    String sem = op.takeOneOf("relaxed", "acquire", "release", "acq_rel");
    String scope = op.takeOneOf("cta", "gpu", "sys");
    boolean both = "acq_rel".equals(sem);
    return new Ordering(
        both || "acquire".equals(sem), both || "release".equals(sem), !"cta".equals(scope));
  }

  /** Takes .sem and .scope of a fence or a membar. */
  static Ordering ofFence(Opcode op) {
    boolean membar = op.name.equals("membar");
    String scope = op.takeOneOf("cta", membar ? "gl" : "gpu", "sys");
    boolean known = membar || op.takeOneOf("sc", "acq_rel") != null;
    if (!known || scope == null) {
      throw op.statement.fault("is not known to the emulator");
    }
    return new Ordering(true, true, !scope.equals("cta"));
  }
}
