package mlpcuda.compute.cuda.ptx.arithmetic;

import mlpcuda.compute.cuda.ptx.Lanes;
import mlpcuda.compute.cuda.ptx.parse.Opcode;
import mlpcuda.compute.cuda.ptx.parse.Statement;
import mlpcuda.compute.cuda.ptx.parse.Type;

/** Operations on bits: logic, shifts, fields and permutations of bytes. */
final class BitOperations {
  private static final Type B32 = Type.of("b32");
  private static final Type U32 = Type.of("u32");

  /** An operation in one lane. */
  @FunctionalInterface
  private interface Bits {
    long apply(long a, long b, long c);
  }

  private static final Lanes AND =
      (d, a, b, c) -> {
        for (int i = 0; i < Lanes.COUNT; i++) {
          d[i] = a[i] & b[i];
        }
      };
  private static final Lanes XOR =
      (d, a, b, c) -> {
        for (int i = 0; i < Lanes.COUNT; i++) {
          d[i] = a[i] ^ b[i];
        }
      };
  private static final Lanes SHL_32 =
      (d, a, b, c) -> {
        for (int i = 0; i < Lanes.COUNT; i++) {
          d[i] = (b[i] & 0xffffffe0L) == 0 ? a[i] << b[i] : 0;
        }
      };
  private static final Lanes SHL_64 =
      (d, a, b, c) -> {
        for (int i = 0; i < Lanes.COUNT; i++) {
          d[i] = (b[i] & 0xffffffc0L) == 0 ? a[i] << b[i] : 0;
        }
      };

  private BitOperations() {}

  /** The operation of the opcode; null if it is not one on bits. */
  static Operation find(Opcode op) {
    Type type = op.peekType();
    if (type == null || type.isFloat() || type.bits() < 16) {
      return null;
    }
    boolean bits = type.kind() == Type.Kind.BITS;
    return switch (op.name) {
      case "and", "or", "xor", "not", "cnot" -> bits ? logic(op) : null;
      case "shl" -> bits ? shiftLeft(op) : null;
      case "shr" -> shiftRight(op);
      case "shf" -> type.equals(B32) ? funnel(op) : null;
      case "lop3" -> type.equals(B32) ? table(op) : null;
      case "prmt" -> type.equals(B32) ? permute(op) : null;
      case "popc", "clz", "brev" -> bits && type.bits() >= 32 ? count(op) : null;
      case "bfi" -> bits && type.bits() >= 32 ? insert(op) : null;
      case "bfe" -> type.isInteger() && type.bits() >= 32 ? extract(op) : null;
      default -> null;
    };
  }

  private static Lanes lanes(Bits f) {
    return (d, a, b, c) -> {
      for (int i = 0; i < Lanes.COUNT; i++) {
        d[i] = f.apply(a[i], b[i], c[i]);
      }
    };
  }

  private static Operation logic(Opcode op) {
    Type type = op.type();
    return switch (op.name) {
      case "and" -> Operation.of(AND, type, type, type);
      case "or" -> Operation.of(lanes((a, b, c) -> a | b), type, type, type);
      case "xor" -> Operation.of(XOR, type, type, type);
      case "not" -> Operation.of(lanes((a, b, c) -> ~a), type, type);
      default -> Operation.of(lanes((a, b, c) -> type.extend(a) == 0 ? 1 : 0), type, type);
    };
  }

  private static Operation shiftLeft(Opcode op) {
    Type type = op.type();
    Lanes lanes =
        switch (type.bits()) {
          case 64 -> SHL_64;
          case 32 -> SHL_32;
          default -> lanes((a, b, c) -> (b & 0xfffffff0L) == 0 ? a << b : 0);
        };
    return Operation.of(lanes, type, type, U32);
  }

  private static Operation shiftRight(Opcode op) {
    Type type = op.type();
    long most = type.isSigned() ? 63 : 64;
    return Operation.of(
        lanes(
            (a, b, c) -> {
              long n = Math.min(U32.extend(b), most);
              return n == 64
                  ? 0
                  : type.extend(a) >> n & (type.bits() == 64 ? unsigned(type, n) : -1);
            }),
        type,
        type,
        U32);
  }

  /**
   * A mask of the bits that an unsigned shift of 64 bits to the right leaves; all for signed types.
   */
  private static long unsigned(Type type, long n) {
    return type.isSigned() ? -1 : -1L >>> n;
  }

  private static Operation funnel(Opcode op) {
    op.type();
    boolean left = "l".equals(op.takeOneOf("l", "r"));
    boolean wrap = "wrap".equals(op.takeOneOf("wrap", "clamp"));
    requireSpelled(op, 2);
    Lanes lanes =
        lanes(
            (a, b, c) -> {
              long both = b << 32 | U32.extend(a);
              int n = (int) (wrap ? c & 31 : Math.min(U32.extend(c), 32));
              return left ? both << n >> 32 : both >>> n;
            });
    return Operation.of(lanes, B32, B32, B32, U32);
  }

  /** Fails unless the statement's opcode has that many modifiers before its type. */
  private static void requireSpelled(Opcode op, int modifiers) {
    if (op.statement.opcode().split("\\.").length != modifiers + 2) {
      throw op.statement.fault("is not known to the emulator");
    }
  }

  /** The number in operand {@code i}. */
  private static int number(Opcode op, int i) {
    if (op.statement.operands().size() == 5
        && op.statement.operands().get(i) instanceof Statement.Number number) {
      return (int) number.bits();
    }
    throw op.statement.fault("with another than a number there is not known to the emulator");
  }

  private static Operation insert(Opcode op) {
    Type type = op.type();
    int from = number(op, 3) & 0xff;
    int length = number(op, 4) & 0xff;
    long ones = length > 63 ? -1 : (1L << length) - 1;
    long field = from > 63 ? 0 : ones << from;
    return Operation.of(lanes((a, b, c) -> a << from & field | b & ~field), type, type, type);
  }

  private static Operation table(Opcode op) {
    op.type();
    int bits = number(op, 4);
    Lanes lanes =
        lanes(
            (a, b, c) -> {
              long r = 0;
              for (int i = 0; i < 8; i++) {
                if ((bits >> i & 1) != 0) {
                  r |= ((i & 4) != 0 ? a : ~a) & ((i & 2) != 0 ? b : ~b) & ((i & 1) != 0 ? c : ~c);
                }
              }
              return r;
            });
    return Operation.of(lanes, B32, B32, B32, B32);
  }

  private static Operation permute(Opcode op) {
    op.type();
    Lanes lanes =
        lanes(
            (a, b, c) -> {
              long from = b << 32 | U32.extend(a);
              long r = 0;
              for (int i = 0; i < 4; i++) {
                int choice = (int) (c >> 4 * i);
                long value = from >> 8 * (choice & 7) & 0xff;
                if ((choice & 8) != 0) {
                  value = (value & 0x80) != 0 ? 0xff : 0;
                }
                r |= value << 8 * i;
              }
              return r;
            });
    return Operation.of(lanes, B32, B32, B32, B32);
  }

  private static Operation count(Opcode op) {
    Type type = op.type();
    int unused = 64 - type.bits();
    Bits bits =
        switch (op.name) {
          case "popc" -> (a, b, c) -> Long.bitCount(a << unused);
          case "clz" -> (a, b, c) -> Math.min(Long.numberOfLeadingZeros(a << unused), type.bits());
          default -> (a, b, c) -> Long.reverse(a << unused);
        };
    return Operation.of(lanes(bits), op.name.equals("brev") ? type : U32, type);
  }

  private static Operation extract(Opcode op) {
    Type type = op.type();
    Lanes lanes =
        lanes(
            (a, b, c) -> {
              int from = (int) b & 0xff;
              int length = (int) c & 0xff;
              long value = type.extend(a);
              // The bits above the last are copies of the sign, or zeros for unsigned types.
              long r =
                  type.isSigned() ? value >> Math.min(from, 63) : from > 63 ? 0 : value >>> from;
              if (length == 0) {
                return 0;
              }
              int unused = 64 - length;
              return unused <= 0
                  ? r
                  : type.isSigned() ? r << unused >> unused : r << unused >>> unused;
            });
    return Operation.of(lanes, type, type, U32, U32);
  }
}
