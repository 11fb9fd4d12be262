package mlpcuda.compute.cuda.ptx.decode;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import mlpcuda.compute.cuda.ptx.execute.Branches;
import mlpcuda.compute.cuda.ptx.execute.Loads;
import mlpcuda.compute.cuda.ptx.machine.Instruction;
import mlpcuda.compute.cuda.ptx.machine.Program;
import mlpcuda.compute.cuda.ptx.machine.Registers;
import mlpcuda.compute.cuda.ptx.parse.ParsedEntry;
import mlpcuda.compute.cuda.ptx.parse.Statement;
import mlpcuda.compute.cuda.ptx.parse.Type;

/** Makes a program of an entry: lays out what it declares, then decodes its statements. */
public final class EntryDecoder {
  private final ParsedEntry entry;
  private final SharedLayout shared;
  private final Map<String, Integer> parameters = new HashMap<>();
  private final Registers registers = new Registers();

  private EntryDecoder(ParsedEntry entry) {
    this.entry = entry;
    this.shared = new SharedLayout(entry);
    for (ParsedEntry.Parameter parameter : entry.parameters()) {
      parameters.put(parameter.name(), parameters.size());
    }
  }

  /** The program of an entry; {@code Fault} names a statement that is not known, with its line. */
  public static Program decode(ParsedEntry entry) {
    return new EntryDecoder(entry).program();
  }

  private Program program() {
    List<Statement> statements = entry.statements();
    Decoder decoder = new Decoder(this);
    Instruction[] code = new Instruction[statements.size() + 1];
    for (int i = 0; i < statements.size(); i++) {
      code[i] = decoder.decode(statements.get(i));
    }
    // The closing brace returns.
    String module = entry.header().module();
    int last = statements.isEmpty() ? 0 : statements.get(statements.size() - 1).line();
    code[statements.size()] =
        new Branches.Exit(new Statement(module, last, "}", null, false, "ret", List.of()));
    return new Program(
        entry.header().entry(),
        parameterLetters(),
        structures(),
        entry.bounds(),
        shared.memory(),
        registers,
        code,
        blockEnds(code));
  }

  private String parameterLetters() {
    StringBuilder letters = new StringBuilder();
    for (ParsedEntry.Parameter parameter : entry.parameters()) {
      letters.append(parameter.isStructure() ? 's' : letter(parameter.type()));
    }
    return letters.toString();
  }

  private static char letter(Type type) {
    boolean wide = type.bits() == 64;
    if (type.isFloat()) {
      return wide ? 'd' : 'f';
    }
    return wide ? 'p' : 'i';
  }

  private Map<Integer, Integer> structures() {
    Map<Integer, Integer> bytes = new HashMap<>();
    for (int i = 0; i < entry.parameters().size(); i++) {
      if (entry.parameters().get(i).isStructure()) {
        bytes.put(i, entry.parameters().get(i).bytes());
      }
    }
    return bytes;
  }

  private int[] blockEnds(Instruction[] code) {
    boolean[] starts = new boolean[code.length + 1];
    starts[code.length] = true;
    entry.labels().values().forEach(at -> starts[at] = true);
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

  // ---- what the decoders of statements ask for ----

  /** The module's target: 80 for sm_80. */
  int target() {
    return entry.header().target();
  }

  /** The slots of the entry's operands. */
  Registers registers() {
    return registers;
  }

  /** The type of a declared register; null if it is not declared. */
  Type typeOf(String register) {
    return entry.registers().get(register);
  }

  /** The index of that parameter; −1 if there is none. */
  int parameterIndex(String parameter) {
    return parameters.getOrDefault(parameter, -1);
  }

  /** The type of a parameter; null if it is a structure. */
  Type parameterType(int index) {
    return entry.parameters().get(index).type();
  }

  /** The address of a parameter that is a structure; −1 if there is none. */
  long structureAddress(String parameter) {
    int index = parameterIndex(parameter);
    return index >= 0 && parameterType(index) == null ? Loads.Parameter.address(index) : -1;
  }

  /** The address of a variable in shared memory; −1 if there is none. */
  int sharedAddress(String variable) {
    return shared.address(variable);
  }

  /** The number of the instruction after a label. */
  int target(Statement at, String label) {
    Integer target = entry.labels().get(label);
    if (target == null) {
      throw at.fault("names no label of this entry");
    }
    return target;
  }

  /** The labels of a .branchtargets. */
  List<String> targets(Statement at, String label) {
    List<String> targets = entry.branchTargets().get(label);
    if (targets == null) {
      throw at.fault("names no .branchtargets of this entry");
    }
    return targets;
  }
}
