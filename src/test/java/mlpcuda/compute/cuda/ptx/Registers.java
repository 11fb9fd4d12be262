package mlpcuda.compute.cuda.ptx;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The places of an entry's operands: each register, constant, parameter and special register has a
 * slot in a warp's register file, each predicate an index of its own.
 */
final class Registers {
  /** The special registers that are known. */
  static final List<String> SPECIAL =
      List.of(
          "%tid.x",
          "%tid.y",
          "%tid.z",
          "%ntid.x",
          "%ntid.y",
          "%ntid.z",
          "%ctaid.x",
          "%ctaid.y",
          "%ctaid.z",
          "%nctaid.x",
          "%nctaid.y",
          "%nctaid.z",
          "%laneid",
          "%warpid");

  private final Map<String, Type> declared = new HashMap<>();
  private final Map<String, Integer> slots = new HashMap<>();
  private final Map<String, Integer> predicates = new HashMap<>();
  private final Map<Long, Integer> constants = new LinkedHashMap<>();
  private final Map<Integer, Integer> parameters = new LinkedHashMap<>();
  private final Map<String, Integer> specials = new LinkedHashMap<>();
  private int count;

  /** Declares {@code .reg type name}; false if there is one of that name already. */
  boolean declare(String name, Type type) {
    return declared.put(name, type) == null;
  }

  /** The type of a declared register; null if it is not declared. */
  Type typeOf(String name) {
    return declared.get(name);
  }

  int slot(String name) {
    return slots.computeIfAbsent(name, n -> count++);
  }

  int predicate(String name) {
    return predicates.computeIfAbsent(name, n -> predicates.size());
  }

  int constant(long value) {
    return constants.computeIfAbsent(value, v -> count++);
  }

  int parameter(int index) {
    return parameters.computeIfAbsent(index, i -> count++);
  }

  int special(String name) {
    return specials.computeIfAbsent(name, n -> count++);
  }

  /** The number of slots. */
  int slots() {
    return count;
  }

  /** The number of predicates. */
  int predicates() {
    return predicates.size();
  }

  Map<Long, Integer> constants() {
    return constants;
  }

  Map<Integer, Integer> parameters() {
    return parameters;
  }

  /** The special registers that are used, with their slots. */
  List<Map.Entry<String, Integer>> specials() {
    return new ArrayList<>(specials.entrySet());
  }
}
