package mlpcuda.compute.cuda.ptx.machine;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The places of an entry's operands: each register, constant, parameter and special register has a
 * slot in a warp's register file, each predicate an index of its own.
 */
public final class Registers {
  /** The special registers that are known. */
  public static final List<String> SPECIAL =
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

  private final Map<String, Integer> slots = new HashMap<>();
  private final Map<String, Integer> predicates = new HashMap<>();
  private final Map<Long, Integer> constants = new LinkedHashMap<>();
  private final Map<Integer, Integer> parameters = new LinkedHashMap<>();
  private final Map<String, Integer> specials = new LinkedHashMap<>();
  private int count;

  public int slot(String name) {
    return slots.computeIfAbsent(name, n -> count++);
  }

  public int predicate(String name) {
    return predicates.computeIfAbsent(name, n -> predicates.size());
  }

  public int constant(long value) {
    return constants.computeIfAbsent(value, v -> count++);
  }

  public int parameter(int index) {
    return parameters.computeIfAbsent(index, i -> count++);
  }

  public int special(String name) {
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
