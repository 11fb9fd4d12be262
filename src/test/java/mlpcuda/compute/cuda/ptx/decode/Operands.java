package mlpcuda.compute.cuda.ptx.decode;

import java.util.List;
import mlpcuda.compute.cuda.ptx.execute.MemoryAccess;
import mlpcuda.compute.cuda.ptx.machine.Registers;
import mlpcuda.compute.cuda.ptx.parse.Statement;
import mlpcuda.compute.cuda.ptx.parse.Statement.Address;
import mlpcuda.compute.cuda.ptx.parse.Statement.Name;
import mlpcuda.compute.cuda.ptx.parse.Statement.Number;
import mlpcuda.compute.cuda.ptx.parse.Statement.Operand;
import mlpcuda.compute.cuda.ptx.parse.Type;

/** Finds the slots of a statement's operands, and refuses operands that do not fit their types. */
final class Operands {
  private final EntryDecoder entry;

  Operands(EntryDecoder entry) {
    this.entry = entry;
  }

  /** The slot of a register that has exactly the type's bits, or of a number. */
  int source(Statement at, Operand operand, Type type) {
    return source(at, operand, type, false);
  }

  /** The slot of a register that has at least the type's bits, or of a number. */
  int widerSource(Statement at, Operand operand, Type type) {
    return source(at, operand, type, true);
  }

  private int source(Statement at, Operand operand, Type type, boolean wider) {
    if (operand instanceof Number number) {
      return constant(at, number, type);
    }
    if (!(operand instanceof Name name) || name.negated()) {
      throw at.fault("has an operand that the emulator does not know there");
    }
    if (Registers.SPECIAL.contains(name.name())) {
      if (type.bits() != 32) {
        throw at.fault("takes " + name.name() + " for another than 32 bits");
      }
      return entry.registers().special(name.name());
    }
    int shared = entry.sharedAddress(name.name());
    if (shared >= 0) {
      return entry.registers().constant(shared);
    }
    long structure = entry.structureAddress(name.name());
    if (structure >= 0) {
      return entry.registers().constant(structure);
    }
    return register(at, name.name(), type, wider);
  }

  /** The address of an operand in brackets. */
  MemoryAccess.Address address(Statement at, Operand operand) {
    if (!(operand instanceof Address address)) {
      throw at.fault("has an operand that is no address");
    }
    String base = address.base();
    int shared = base == null ? 0 : entry.sharedAddress(base);
    long known = shared >= 0 ? shared : entry.structureAddress(base);
    if (known >= 0) {
      int slot = entry.registers().constant(known);
      return new MemoryAccess.Address(slot, true, address.offset());
    }
    Type declared = entry.typeOf(base);
    if (declared == null || declared.bits() < 32) {
      throw at.fault("has " + base + " as address, which is not known to the emulator");
    }
    int slot = source(at, new Name(base, false), declared);
    return new MemoryAccess.Address(slot, declared.bits() == 64, address.offset());
  }

  private int constant(Statement at, Number number, Type type) {
    boolean fits =
        switch (number.kind()) {
          case 'f' -> type.bits() == 32 && !type.isInteger();
          case 'd' -> type.bits() == 64 && !type.isInteger();
          default -> !type.isFloat();
        };
    if (!fits) {
      throw at.fault("has a number of another type than " + type);
    }
    return entry.registers().constant(number.bits());
  }

  private int register(Statement at, String name, Type type, boolean wider) {
    Type declared = entry.typeOf(name);
    if (declared == null) {
      throw at.fault("has " + name + ", which is not known to the emulator");
    }
    boolean fits = declared.bits() == type.bits() || wider && declared.bits() > type.bits();
    if (!fits || declared.kind() == Type.Kind.PREDICATE) {
      throw at.fault("has " + name + " of " + declared.bits() + " bits for " + type.bits());
    }
    return entry.registers().slot(name);
  }

  /** The slot of a register for a result of exactly the type's bits. */
  int result(Statement at, Operand operand, Type type) {
    return register(at, resultName(at, operand), type, false);
  }

  /** The slot of a register for a result, of the type's bits or more. */
  int widerResult(Statement at, Operand operand, Type type) {
    return register(at, resultName(at, operand), type, true);
  }

  private static String resultName(Statement at, Operand operand) {
    if (operand instanceof Name name && !name.negated()) {
      return name.name();
    }
    throw at.fault("has a result that is no register");
  }

  /** The index of a predicate; it may be negated, see {@link #flip}. */
  int predicate(Statement at, Operand operand) {
    if (operand instanceof Name name) {
      return predicate(at, name.name());
    }
    throw at.fault("has an operand that is no predicate");
  }

  int predicate(Statement at, String name) {
    Type declared = entry.typeOf(name);
    if (declared == null || declared.kind() != Type.Kind.PREDICATE) {
      throw at.fault("has " + name + ", which is no predicate");
    }
    return entry.registers().predicate(name);
  }

  /** The index of a predicate for a result; −1 where the statement drops it by _. */
  int predicateOrNone(Statement at, Operand operand) {
    return isNone(operand) ? -1 : predicate(at, operand);
  }

  /** The slot of a register for a result; −1 where the statement drops it by _. */
  int resultOrNone(Statement at, Operand operand, Type type) {
    return isNone(operand) ? -1 : result(at, operand, type);
  }

  /** Whether the operand is _, the place of a result that nobody wants. */
  static boolean isNone(Operand operand) {
    return operand instanceof Name name && name.name().equals("_");
  }

  /** The slots of several registers of a type. */
  int[] sources(Statement at, List<Operand> items, Type type) {
    return items.stream().mapToInt(item -> source(at, item, type)).toArray();
  }

  /** A mask that is all ones if the operand is negated, else 0. */
  static int flip(Operand operand) {
    return operand instanceof Name name && name.negated() ? -1 : 0;
  }

  /** Fails unless there are that many operands. */
  static void count(Statement at, int expected) {
    if (at.operands().size() != expected) {
      throw at.fault("has " + at.operands().size() + " operands instead of " + expected);
    }
  }
}
