package mlpcuda.compute.cuda.ptx.arithmetic;

import java.util.ArrayList;
import java.util.List;
import java.util.function.BiPredicate;
import java.util.function.Predicate;
import mlpcuda.compute.cuda.ptx.kernels.InstructionCase;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Tests comparisons of each kind and type, their combinations, and logic of predicates. */
class ComparisonInstructionsTest {
  private static String setp(String comparison) {
    return "setp." + comparison + " %p2, %a, %b;\nselp.b32 %d, 1, 0, %p2;";
  }

  private static InstructionCase integers(String name, String type, BiPredicate<Long, Long> test) {
    return InstructionCase.of(
        setp(name + "." + type), "u32 " + type + " " + type, (a, b, c) -> test.test(a, b) ? 1 : 0);
  }

  private static InstructionCase floats(String name, BiPredicate<Float, Float> test) {
    return InstructionCase.of(
        setp(name + ".f32"),
        "u32 f32 f32",
        (a, b, c) -> test.test(InstructionCase.value(a), InstructionCase.value(b)) ? 1 : 0);
  }

  private static boolean ordered(float a, float b) {
    return !Float.isNaN(a) && !Float.isNaN(b);
  }

  static List<InstructionCase> comparisons() {
    List<InstructionCase> cases = new ArrayList<>();
    for (String type : List.of("s16", "s32", "s64")) {
      cases.add(integers("eq", type, (a, b) -> a.longValue() == b));
      cases.add(integers("ne", type, (a, b) -> a.longValue() != b));
      cases.add(integers("lt", type, (a, b) -> a < b));
      cases.add(integers("le", type, (a, b) -> a <= b));
      cases.add(integers("gt", type, (a, b) -> a > b));
      cases.add(integers("ge", type, (a, b) -> a >= b));
    }
    for (String type : List.of("u16", "u32", "u64")) {
      cases.add(integers("lt", type, (a, b) -> Long.compareUnsigned(a, b) < 0));
      cases.add(integers("lo", type, (a, b) -> Long.compareUnsigned(a, b) < 0));
      cases.add(integers("le", type, (a, b) -> Long.compareUnsigned(a, b) <= 0));
      cases.add(integers("gt", type, (a, b) -> Long.compareUnsigned(a, b) > 0));
      cases.add(integers("hs", type, (a, b) -> Long.compareUnsigned(a, b) >= 0));
    }
    cases.add(integers("eq", "b32", (a, b) -> a.longValue() == b));
    cases.add(floats("eq", (a, b) -> a.floatValue() == b));
    cases.add(floats("ne", (a, b) -> ordered(a, b) && a.floatValue() != b));
    cases.add(floats("lt", (a, b) -> a < b));
    cases.add(floats("le", (a, b) -> a <= b));
    cases.add(floats("gt", (a, b) -> a > b));
    cases.add(floats("ge", (a, b) -> a >= b));
    cases.add(floats("equ", (a, b) -> !ordered(a, b) || a.floatValue() == b));
    cases.add(floats("neu", (a, b) -> a.floatValue() != b));
    cases.add(floats("ltu", (a, b) -> !ordered(a, b) || a < b));
    cases.add(floats("leu", (a, b) -> !ordered(a, b) || a <= b));
    cases.add(floats("gtu", (a, b) -> !ordered(a, b) || a > b));
    cases.add(floats("geu", (a, b) -> !ordered(a, b) || a >= b));
    cases.add(floats("num", ComparisonInstructionsTest::ordered));
    cases.add(floats("nan", (a, b) -> !ordered(a, b)));
    cases.add(floats("lt.ftz", (a, b) -> Rounding.flush(a) < Rounding.flush(b)));
    cases.add(
        InstructionCase.of(
            setp("lt.f64"),
            "u32 f64 f64",
            (a, b, c) -> Double.longBitsToDouble(a) < Double.longBitsToDouble(b) ? 1 : 0));
    return cases;
  }

  /** %p3: a > 0, %p4: b > 0. */
  private static InstructionCase logic(String text, BiPredicate<Boolean, Boolean> test) {
    return InstructionCase.of(
        "setp.gt.s32 %p3, %a, 0; setp.gt.s32 %p4, %b, 0;\n" + text + "\nselp.b32 %d, 1, 0, %p2;",
        "u32 s32 s32",
        (a, b, c) -> test.test(a > 0, b > 0) ? 1 : 0);
  }

  static List<InstructionCase> logic() {
    return List.of(
        logic("and.pred %p2, %p3, %p4;", (a, b) -> a && b),
        logic("or.pred %p2, %p3, %p4;", (a, b) -> a || b),
        logic("xor.pred %p2, %p3, %p4;", (a, b) -> a ^ b),
        logic("not.pred %p2, %p3;", (a, b) -> !a),
        logic("mov.pred %p2, %p4;", (a, b) -> b),
        logic("mov.pred %p2, -1;", (a, b) -> true),
        logic("mov.pred %p2, 0;", (a, b) -> false),
        logic("setp.gt.and.s32 %p2, %a, 0, %p4;", (a, b) -> a && b),
        logic("setp.gt.or.s32 %p2, %a, 0, !%p4;", (a, b) -> a || !b),
        logic("setp.gt.xor.s32 %p2, %a, 0, %p4;", (a, b) -> a ^ b),
        logic("setp.gt.s32 _|%p2, %a, 0;", (a, b) -> !a),
        logic("setp.gt.and.s32 %p5|%p2, %a, 0, %p4;", (a, b) -> !a && b));
  }

  static List<InstructionCase> tests() {
    return List.of(
        test("finite", Float::isFinite),
        test("infinite", x -> Float.isInfinite(x)),
        test("number", x -> !Float.isNaN(x)),
        test("notanumber", x -> Float.isNaN(x)),
        test("normal", x -> Float.isFinite(x) && Math.abs(x) >= Float.MIN_NORMAL),
        test("subnormal", x -> x != 0 && Math.abs(x) < Float.MIN_NORMAL));
  }

  private static InstructionCase test(String kind, Predicate<Float> test) {
    return InstructionCase.of(
        "testp." + kind + ".f32 %p2, %a;\nselp.b32 %d, 1, 0, %p2;",
        "u32 f32",
        (a, b, c) -> test.test(InstructionCase.value(a)) ? 1 : 0);
  }

  @ParameterizedTest
  @MethodSource({"comparisons", "logic", "tests"})
  void computes(InstructionCase instruction) {
    instruction.check();
  }
}
