package mlpcuda.compute.cuda.ptx.decode;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import mlpcuda.compute.cuda.ptx.machine.Program;
import mlpcuda.compute.cuda.ptx.parse.ParsedEntry;
import mlpcuda.compute.cuda.ptx.parse.ParsedEntry.Variable;
import mlpcuda.compute.cuda.ptx.parse.Statement;

/**
 * The addresses of an entry's variables of shared memory: its own first, then the module's that it
 * names, then those of dynamic size.
 */
final class SharedLayout {
  /**
   * The unused bytes after each variable of shared memory, so that a byte beyond its end is found.
   */
  private static final int GAP = 16;

  private final Map<String, Integer> addresses = new HashMap<>();
  private final List<int[]> gaps = new ArrayList<>();
  private int bytes;
  private int staticBytes;
  private int dynamicStart = -1;

  SharedLayout(ParsedEntry entry) {
    entry.shared().forEach(this::place);
    Map<String, Variable> dynamic = new HashMap<>();
    for (Statement statement : entry.statements()) {
      for (Statement.Operand operand : statement.operands()) {
        String named = named(operand);
        Variable variable = addresses.containsKey(named) ? null : entry.moduleShared().get(named);
        if (variable != null && variable.isDynamic()) {
          dynamic.put(named, variable);
        } else if (variable != null) {
          place(variable);
        }
      }
    }
    if (!dynamic.isEmpty()) {
      placeDynamic(dynamic);
    }
  }

  private static String named(Statement.Operand operand) {
    if (operand instanceof Statement.Name of) {
      return of.name();
    }
    return operand instanceof Statement.Address at && at.base() != null ? at.base() : "";
  }

  private void place(Variable variable) {
    int start = aligned(bytes, variable.align());
    addresses.put(variable.name(), start);
    endLastGapAt(start);
    int end = start + variable.bytes();
    gaps.add(new int[] {end, end + GAP});
    bytes = end + GAP;
    staticBytes = aligned(staticBytes, variable.align()) + variable.bytes();
  }

  /** Places variables of dynamic size, which all begin at the same address, as in CUDA. */
  private void placeDynamic(Map<String, Variable> variables) {
    int align = variables.values().stream().mapToInt(Variable::align).max().orElse(1);
    dynamicStart = aligned(bytes, Math.max(16, align));
    variables.keySet().forEach(variable -> addresses.put(variable, dynamicStart));
    endLastGapAt(dynamicStart);
  }

  private void endLastGapAt(int end) {
    if (!gaps.isEmpty()) {
      gaps.get(gaps.size() - 1)[1] = end;
    }
  }

  private static int aligned(int start, int align) {
    return (start + align - 1) / align * align;
  }

  /** The address of a variable; −1 if the entry has none of that name. */
  int address(String variable) {
    return addresses.getOrDefault(variable, -1);
  }

  /** The shared memory of a block. */
  Program.SharedMemory memory() {
    if (dynamicStart >= 0) {
      return new Program.SharedMemory(dynamicStart, List.copyOf(gaps), staticBytes);
    }
    // Behind the last variable every access is outside, with no gap needed.
    int last = gaps.size() - 1;
    return new Program.SharedMemory(
        last < 0 ? 0 : gaps.get(last)[0],
        List.copyOf(gaps.subList(0, Math.max(0, last))),
        staticBytes);
  }
}
