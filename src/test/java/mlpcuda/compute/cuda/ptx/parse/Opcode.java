package mlpcuda.compute.cuda.ptx.parse;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** An opcode's name and its modifiers, which decoders take one by one: none may be left over. */
public final class Opcode {
  public final Statement statement;
  public final String name;
  private final List<String> modifiers;
  private final int target;

  /** {@code target} is the module's: 80 for sm_80. */
  public Opcode(Statement statement, int target) {
    this.statement = statement;
    this.target = target;
    List<String> parts = new ArrayList<>(Arrays.asList(statement.opcode().split("\\.")));
    this.name = parts.remove(0);
    this.modifiers = parts;
  }

  /** Takes the modifier if it is there. */
  public boolean take(String modifier) {
    return modifiers.remove(modifier);
  }

  /** Takes the one of these modifiers that is there; null if none is. */
  public String takeOneOf(String... choices) {
    for (String choice : choices) {
      if (modifiers.remove(choice)) {
        return choice;
      }
    }
    return null;
  }

  /** Takes all modifiers if they are exactly these, with dots between. */
  public boolean takeAll(String all) {
    boolean are = String.join(".", modifiers).equals(all);
    if (are) {
      modifiers.clear();
    }
    return are;
  }

  /** Fails unless the module's target has what came with target {@code least}. */
  public void requireTarget(int least) {
    if (target < least) {
      throw statement.fault("needs .target sm_" + least + ", not sm_" + target);
    }
  }

  /** Takes the type at the end. */
  public Type type() {
    String last = modifiers.isEmpty() ? "" : modifiers.get(modifiers.size() - 1);
    Type type = Type.of(last);
    if (type == null) {
      throw statement.fault("has no type that is known to the emulator");
    }
    modifiers.remove(modifiers.size() - 1);
    return type;
  }

  /** The type at the end, which is not taken; null if it is unknown. */
  public Type peekType() {
    return modifiers.isEmpty() ? null : Type.of(modifiers.get(modifiers.size() - 1));
  }

  /** The number of modifiers that are left. */
  public int left() {
    return modifiers.size();
  }

  /** Fails where a modifier is left over. */
  public void done() {
    if (!modifiers.isEmpty()) {
      throw statement.fault(
          "has ." + modifiers.get(0) + ", which the emulator does not know for it");
    }
  }
}
