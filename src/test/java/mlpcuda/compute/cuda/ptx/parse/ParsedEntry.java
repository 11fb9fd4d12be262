package mlpcuda.compute.cuda.ptx.parse;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import mlpcuda.compute.cuda.ptx.Fault;

/** The declarations and statements of an entry, as they are written. */
public final class ParsedEntry {
  /** The names of a module and an entry, and the module's target: 80 for sm_80. */
  public record Header(String module, String entry, int target) {}

  /**
   * A parameter.
   *
   * @param type the parameter's type; null for a structure
   * @param bytes the size of a structure in bytes; 0 for any other parameter
   */
  public record Parameter(String name, Type type, int bytes) {
    /** Whether it is an array of bytes, which a kernel takes as a structure. */
    public boolean isStructure() {
      return type == null;
    }
  }

  /** A variable of shared memory; {@code bytes} −1 for one whose size a launch tells. */
  public record Variable(String name, int align, int bytes, int line) {
    /** Whether a launch tells its size. */
    public boolean isDynamic() {
      return bytes < 0;
    }
  }

  private final Header header;
  private final Map<String, Variable> moduleShared;
  private final List<Parameter> parameters = new ArrayList<>();
  private final Map<String, Type> registers = new HashMap<>();
  private final Map<String, Variable> shared = new LinkedHashMap<>();
  private final Map<String, Integer> labels = new HashMap<>();
  private final Map<String, List<String>> branchTargets = new HashMap<>();
  private final List<Statement> statements = new ArrayList<>();
  private LaunchBounds bounds = LaunchBounds.NONE;

  /**
   * Starts an entry without declarations.
   *
   * @param moduleShared the variables of shared memory that the module declares for all entries,
   *     those of dynamic size among them
   */
  ParsedEntry(Header header, Map<String, Variable> moduleShared) {
    this.header = header;
    this.moduleShared = Map.copyOf(moduleShared);
  }

  // ---- what the parser adds ----

  void parameter(String name, Type type, int line) {
    if (type.bits() < 32) {
      throw fault(line, "a parameter of " + type + " is not known to the emulator");
    }
    parameters.add(new Parameter(name, type, 0));
  }

  void structure(String name, int bytes) {
    parameters.add(new Parameter(name, null, bytes));
  }

  void bounds(LaunchBounds entryBounds) {
    bounds = entryBounds;
  }

  void register(String name, Type type, int line) {
    if (registers.put(name, type) != null) {
      throw fault(line, name + " is declared twice");
    }
  }

  void shared(Variable variable) {
    if (shared.put(variable.name(), variable) != null) {
      throw fault(variable.line(), variable.name() + " is declared twice");
    }
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

  private Fault fault(int line, String what) {
    return new Fault(header.module() + ", line " + line + ": " + what);
  }

  // ---- what the decoder reads ----

  /** The names of the module and the entry, and the target. */
  public Header header() {
    return header;
  }

  /** The parameters in the order of a launch's arguments. */
  public List<Parameter> parameters() {
    return Collections.unmodifiableList(parameters);
  }

  /** What the entry says of its launches. */
  public LaunchBounds bounds() {
    return bounds;
  }

  /** The types of the declared registers, by their names. */
  public Map<String, Type> registers() {
    return Collections.unmodifiableMap(registers);
  }

  /** The entry's own variables of shared memory in the order of their declarations. */
  public List<Variable> shared() {
    return List.copyOf(shared.values());
  }

  /** The module's variables of shared memory, which take space only in entries that name them. */
  public Map<String, Variable> moduleShared() {
    return moduleShared;
  }

  /** The number of the statement after each label. */
  public Map<String, Integer> labels() {
    return Collections.unmodifiableMap(labels);
  }

  /** The labels of each .branchtargets, by its own label. */
  public Map<String, List<String>> branchTargets() {
    return Collections.unmodifiableMap(branchTargets);
  }

  /** The statements in the order of the text. */
  public List<Statement> statements() {
    return Collections.unmodifiableList(statements);
  }
}
