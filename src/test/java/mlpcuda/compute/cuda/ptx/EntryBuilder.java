package mlpcuda.compute.cuda.ptx;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Gathers the declarations and statements of an entry, then decodes the statements. */
final class EntryBuilder {
  /**
   * The unused bytes after each variable of shared memory, so that a byte beyond its end is found.
   */
  private static final int GAP = 16;

  /** A variable of shared memory; {@code bytes} −1 for one whose size a launch tells. */
  record Variable(String name, int align, int bytes, int line) {
    boolean isDynamic() {
      return bytes < 0;
    }
  }

  final String module;
  final String name;

  /** The module's target: 80 for sm_80. */
  final int target;

  final Registers registers = new Registers();
  private final Map<String, Integer> parameters = new HashMap<>();
  private final List<Type> parameterTypes = new ArrayList<>();
  private final Map<String, Integer> labels = new HashMap<>();
  private final Map<String, List<String>> branchTargets = new HashMap<>();
  private final Map<String, Variable> moduleShared;
  private final Map<String, Integer> shared = new HashMap<>();
  private final List<int[]> sharedGaps = new ArrayList<>();
  private final List<Statement> statements = new ArrayList<>();
  private final Map<String, Variable> dynamicShared = new HashMap<>();
  private int sharedBytes;
  private int staticBytes;
  private int dynamicStart = -1;
  private int maxThreads = 1024;
  private int[] requiredThreads;
  private int minBlocks = 1;
  private int maxRegisters;

  /**
   * {@code moduleShared} has the variables of shared memory that the module declares for all
   * entries, those of dynamic size among them.
   */
  EntryBuilder(String module, String name, int target, Map<String, Variable> moduleShared) {
    this.module = module;
    this.name = name;
    this.target = target;
    this.moduleShared = moduleShared;
  }

  private Fault fault(int line, String what) {
    return new Fault(module + ", line " + line + ": " + what);
  }

  void parameter(String parameter, Type type, int line) {
    if (type.bits() < 32) {
      throw fault(line, "a parameter of " + type + " is not known to the emulator");
    }
    parameters.put(parameter, parameterTypes.size());
    parameterTypes.add(type);
  }

  void threads(String directive, List<Integer> sizes) {
    int[] all = {1, 1, 1};
    for (int i = 0; i < sizes.size(); i++) {
      all[i] = sizes.get(i);
    }
    if (directive.equals(".reqntid")) {
      requiredThreads = all;
    } else {
      maxThreads = all[0] * all[1] * all[2];
    }
  }

  void minBlocks(int blocks) {
    minBlocks = Math.max(1, blocks);
  }

  void maxRegisters(int registers) {
    maxRegisters = registers;
  }

  void register(String register, Type type, int line) {
    if (!registers.declare(register, type)) {
      throw fault(line, register + " is declared twice");
    }
  }

  void shared(Variable variable) {
    int start = aligned(sharedBytes, variable.align());
    if (shared.put(variable.name(), start) != null) {
      throw fault(variable.line(), variable.name() + " is declared twice");
    }
    if (!sharedGaps.isEmpty()) {
      sharedGaps.get(sharedGaps.size() - 1)[1] = start;
    }
    int end = start + variable.bytes();
    sharedGaps.add(new int[] {end, end + GAP});
    sharedBytes = end + GAP;
    staticBytes = aligned(staticBytes, variable.align()) + variable.bytes();
  }

  private static int aligned(int start, int align) {
    return (start + align - 1) / align * align;
  }

  void label(String label, int line) {
    if (labels.put(label, statements.size()) != null) {
      throw fault(line, "label " + label + " stands twice");
    }
  }

  void branchTargets(String label, List<String> targets) {
    labels.remove(label);
    branchTargets.put(label, targets);
  }

  void statement(Statement statement) {
    statements.add(statement);
  }

  // ---- what decoders ask for ----

  /** The index of that parameter; −1 if there is none. */
  int parameterIndex(String parameter) {
    return parameters.getOrDefault(parameter, -1);
  }

  Type parameterType(int index) {
    return parameterTypes.get(index);
  }

  /** The address of a variable in shared memory; −1 if there is none. */
  int sharedAddress(String variable) {
    return shared.getOrDefault(variable, -1);
  }

  /**
   * Gives places to the module's variables that this entry names: they take room only there. Those
   * of dynamic size all begin behind the others, as in CUDA.
   */
  private void layOutModuleShared() {
    for (Statement statement : statements) {
      for (Statement.Operand operand : statement.operands()) {
        String named =
            operand instanceof Statement.Name of
                ? of.name()
                : operand instanceof Statement.Address at && at.base() != null ? at.base() : "";
        Variable variable = shared.containsKey(named) ? null : moduleShared.get(named);
        if (variable != null && variable.isDynamic()) {
          dynamicShared.put(named, variable);
        } else if (variable != null) {
          shared(variable);
        }
      }
    }
    int align = dynamicShared.values().stream().mapToInt(Variable::align).max().orElse(0);
    if (align > 0) {
      dynamicStart = aligned(sharedBytes, Math.max(16, align));
      dynamicShared.keySet().forEach(variable -> shared.put(variable, dynamicStart));
      if (!sharedGaps.isEmpty()) {
        sharedGaps.get(sharedGaps.size() - 1)[1] = dynamicStart;
      }
    }
  }

  private Program.SharedMemory sharedMemory() {
    int gaps = sharedGaps.size();
    if (dynamicStart >= 0) {
      return new Program.SharedMemory(dynamicStart, List.copyOf(sharedGaps), staticBytes);
    }
    // Behind the last variable every access is outside, with no gap needed.
    return new Program.SharedMemory(
        gaps == 0 ? 0 : sharedGaps.get(gaps - 1)[0],
        List.copyOf(sharedGaps.subList(0, Math.max(0, gaps - 1))),
        staticBytes);
  }

  /** The number of the instruction after a label. */
  int target(Statement at, String label) {
    Integer target = labels.get(label);
    if (target == null) {
      throw at.fault("names no label of this entry");
    }
    return target;
  }

  /** The labels of a .branchtargets. */
  List<String> targets(Statement at, String label) {
    List<String> targets = branchTargets.get(label);
    if (targets == null) {
      throw at.fault("names no .branchtargets of this entry");
    }
    return targets;
  }

  Program build() {
    layOutModuleShared();
    Decoder decoder = new Decoder(this);
    Instruction[] code = new Instruction[statements.size() + 1];
    for (int i = 0; i < statements.size(); i++) {
      code[i] = decoder.decode(statements.get(i));
    }
    // The closing brace returns.
    int last = statements.isEmpty() ? 0 : statements.get(statements.size() - 1).line();
    code[statements.size()] =
        new Branches.Exit(new Statement(module, last, "}", null, false, "ret", List.of()));
    return new Program(
        name,
        letters(),
        new Program.Bounds(maxThreads, requiredThreads, minBlocks, maxRegisters),
        sharedMemory(),
        registers,
        code,
        blockEnds(code));
  }

  private String letters() {
    StringBuilder letters = new StringBuilder();
    for (Type type : parameterTypes) {
      boolean wide = type.bits() == 64;
      letters.append(type.isFloat() ? wide ? 'd' : 'f' : wide ? 'p' : 'i');
    }
    return letters.toString();
  }

  private int[] blockEnds(Instruction[] code) {
    boolean[] starts = new boolean[code.length + 1];
    starts[code.length] = true;
    labels.values().forEach(at -> starts[at] = true);
    for (int i = 0; i < code.length; i++) {
      starts[i] |= code[i].isMeeting();
      starts[i + 1] |= code[i].isControl();
    }
    int[] ends = new int[code.length];
    for (int i = code.length - 1; i >= 0; i--) {
      ends[i] = starts[i + 1] ? i : ends[i + 1];
    }
    return ends;
  }
}
