package mlpcuda.compute.cuda.ptx.parse;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import mlpcuda.compute.cuda.ptx.parse.Statement.Operand;

/** Reads the text of a module: directives, entries and their statements. */
public final class PtxParser {
  private final String module;
  private final Tokens tokens;
  private int target;

  private PtxParser(String module, String text) {
    this.module = module;
    this.tokens = new Tokens(module, text);
  }

  /** The entries of a module by their names, in the order of the text. */
  public static Map<String, ParsedEntry> parse(String module, String text) {
    return new PtxParser(module, text).module();
  }

  private Map<String, ParsedEntry> module() {
    Map<String, ParsedEntry> entries = new LinkedHashMap<>();
    Map<String, ParsedEntry.Variable> shared = new LinkedHashMap<>();
    while (!tokens.atEnd()) {
      int line = tokens.line();
      String directive = tokens.take();
      switch (directive) {
        case ".version" -> tokens.take();
        case ".target" -> target = target();
        case ".address_size" -> tokens.expect("64");
        case ".visible" -> {}
        case ".file" -> skipFile();
        case ".shared" -> {
          ParsedEntry.Variable variable = shared(line, false);
          shared.put(variable.name(), variable);
        }
        case ".extern" -> {
          tokens.expect(".shared");
          ParsedEntry.Variable variable = shared(line, true);
          shared.put(variable.name(), variable);
        }
        case ".entry" -> {
          ParsedEntry entry = entry(shared);
          String name = entry.header().entry();
          if (entries.put(name, entry) != null) {
            throw tokens.fault(line, "there are two entries " + name);
          }
        }
        default -> throw tokens.fault(line, "'" + directive + "' is not known to the emulator");
      }
    }
    return entries;
  }

  /** Takes the number in sm_80. */
  private int target() {
    String name = tokens.peek();
    if (!name.matches("sm_[0-9]{2,3}")) {
      throw tokens.fault("target '" + name + "' is not known to the emulator");
    }
    tokens.take();
    return Integer.parseInt(name.substring(3));
  }

  private void skipFile() {
    tokens.takeNumber();
    tokens.take();
    while (tokens.takeIf(",")) {
      tokens.takeNumber();
    }
  }

  private ParsedEntry entry(Map<String, ParsedEntry.Variable> shared) {
    ParsedEntry entry =
        new ParsedEntry(new ParsedEntry.Header(module, tokens.take(), target), shared);
    if (tokens.takeIf("(")) {
      while (!tokens.takeIf(")")) {
        parameter(entry);
        tokens.takeIf(",");
      }
    }
    entry.bounds(bounds());
    while (!tokens.takeIf("}")) {
      bodyItem(entry);
    }
    return entry;
  }

  /** Reads the directives before the opening brace, and the brace. */
  private LaunchBounds bounds() {
    LaunchBounds bounds = LaunchBounds.NONE;
    while (!tokens.takeIf("{")) {
      int line = tokens.line();
      String directive = tokens.take();
      bounds =
          switch (directive) {
            case ".maxntid" -> bounds.withMaxThreads(numbers());
            case ".reqntid" -> bounds.withRequiredThreads(numbers());
            case ".minnctapersm" -> bounds.withMinBlocks(tokens.takeNumber());
            case ".maxnreg" -> bounds.withMaxRegisters(tokens.takeNumber());
            default -> throw tokens.fault(line, "'" + directive + "' is not known to the emulator");
          };
    }
    return bounds;
  }

  private List<Integer> numbers() {
    List<Integer> numbers = new ArrayList<>();
    do {
      numbers.add(tokens.takeNumber());
    } while (tokens.takeIf(","));
    return numbers;
  }

  private void parameter(ParsedEntry entry) {
    tokens.expect(".param");
    if (tokens.takeIf(".align")) {
      tokens.takeNumber();
    }
    Type type = type();
    if (tokens.takeIf(".ptr")) {
      while (tokens.peek().startsWith(".")) {
        if (tokens.take().equals(".align")) {
          tokens.takeNumber();
        }
      }
    }
    int line = tokens.line();
    String name = tokens.take();
    if (tokens.takeIf("[")) {
      entry.structure(name, type.bytes() * tokens.takeNumber());
      tokens.expect("]");
    } else {
      entry.parameter(name, type, line);
    }
  }

  private Type type() {
    String name = tokens.peek();
    Type type = name.startsWith(".") ? Type.of(name.substring(1)) : null;
    if (type == null) {
      throw tokens.fault("type '" + name + "' is not known to the emulator");
    }
    tokens.take();
    return type;
  }

  private void bodyItem(ParsedEntry entry) {
    int line = tokens.line();
    String first = tokens.peek();
    if (first.equals(".reg")) {
      tokens.take();
      registers(entry);
    } else if (first.equals(".shared")) {
      tokens.take();
      entry.shared(shared(line, false));
    } else if (first.equals(".pragma")) {
      tokens.take();
      String pragma = tokens.take();
      if (!pragma.equals("\"nounroll\"")) {
        throw tokens.fault(line, ".pragma " + pragma + " is not known to the emulator");
      }
      tokens.expect(";");
    } else if (first.equals(".loc")) {
      tokens.take();
      for (int i = 0; i < 3; i++) {
        tokens.takeNumber();
      }
    } else if (tokens.peekSecond().equals(":")) {
      entry.label(tokens.take(), line);
      tokens.expect(":");
      if (tokens.takeIf(".branchtargets")) {
        List<String> targets = new ArrayList<>();
        do {
          targets.add(tokens.take());
        } while (tokens.takeIf(","));
        tokens.expect(";");
        entry.branchTargets(first, targets);
      }
    } else if (tokens.takeIf("{")) {
      instructions(entry);
    } else if (first.startsWith(".")) {
      throw tokens.fault("'" + first + "' is not known to the emulator");
    } else {
      entry.statement(statement(line));
    }
  }

  /**
   * Reads instructions in braces, as in inline assembly; declarations in there are not supported.
   */
  private void instructions(ParsedEntry entry) {
    while (!tokens.takeIf("}")) {
      String first = tokens.peek();
      if (first.startsWith(".") || first.equals("{") || tokens.peekSecond().equals(":")) {
        throw tokens.fault("'" + first + "' in braces is not known to the emulator");
      }
      entry.statement(statement(tokens.line()));
    }
  }

  private void registers(ParsedEntry entry) {
    Type type = type();
    do {
      int line = tokens.line();
      String name = tokens.take();
      if (tokens.takeIf("<")) {
        int count = tokens.takeNumber();
        tokens.expect(">");
        for (int i = 0; i < count; i++) {
          entry.register(name + i, type, line);
        }
      } else {
        entry.register(name, type, line);
      }
    } while (tokens.takeIf(","));
    tokens.expect(";");
  }

  /** Takes a variable of shared memory; a dynamic one has empty brackets. */
  private ParsedEntry.Variable shared(int line, boolean dynamic) {
    int align = 1;
    if (tokens.takeIf(".align")) {
      align = tokens.takeNumber();
    }
    Type type = type();
    String name = tokens.take();
    int bytes = dynamic ? -1 : type.bytes();
    if (dynamic) {
      tokens.expect("[");
      tokens.expect("]");
    }
    while (!dynamic && tokens.takeIf("[")) {
      bytes *= tokens.takeNumber();
      tokens.expect("]");
    }
    tokens.expect(";");
    return new ParsedEntry.Variable(name, Math.max(align, type.bytes()), bytes, line);
  }

  private Statement statement(int line) {
    int start = tokens.position();
    String guard = null;
    boolean negated = false;
    if (tokens.takeIf("@")) {
      negated = tokens.takeIf("!");
      guard = tokens.take();
    }
    String opcode = tokens.take();
    if (opcode.startsWith("call")) {
      throw tokens.fault(
          line, "'" + opcode + " " + tokens.peek() + "' is not known to the emulator");
    }
    List<Operand> operands = new ArrayList<>();
    while (!tokens.takeIf(";")) {
      if (!operands.isEmpty()) {
        tokens.expect(",");
      }
      operands.add(operand());
    }
    return new Statement(
        module, line, tokens.textSince(start), guard, negated, opcode, List.copyOf(operands));
  }

  private Operand operand() {
    Operand first = single();
    return tokens.takeIf("|") ? new Statement.Pair(first, single()) : first;
  }

  private Operand single() {
    if (tokens.takeIf("[")) {
      return address();
    }
    if (tokens.takeIf("{")) {
      List<Operand> items = new ArrayList<>();
      do {
        items.add(single());
      } while (tokens.takeIf(","));
      tokens.expect("}");
      return new Statement.Vector(items);
    }
    if (tokens.takeIf("!")) {
      return new Statement.Name(tokens.take(), true);
    }
    if (tokens.peek().equals("-") || tokens.atNumber()) {
      return number();
    }
    String name = tokens.peek();
    if (!name.matches("[%$_a-zA-Z].*")) {
      throw tokens.fault("an operand expected, found '" + name + "'");
    }
    return new Statement.Name(tokens.take(), false);
  }

  private Operand address() {
    String base = null;
    long offset = 0;
    if (tokens.atNumber()) {
      offset = number().bits();
    } else {
      base = tokens.take();
    }
    if (tokens.takeIf("+") || tokens.peek().equals("-")) {
      offset += number().bits();
    }
    tokens.expect("]");
    return new Statement.Address(base, offset);
  }

  private Statement.Number number() {
    boolean minus = tokens.takeIf("-");
    String text = tokens.peek();
    try {
      char kind = 'i';
      long bits;
      if (text.matches("0[fF][0-9a-fA-F]{8}")) {
        kind = 'f';
        bits = Long.parseUnsignedLong(text.substring(2), 16);
      } else if (text.matches("0[dD][0-9a-fA-F]{16}")) {
        kind = 'd';
        bits = Long.parseUnsignedLong(text.substring(2), 16);
      } else if (text.matches("0[xX][0-9a-fA-F]+U?")) {
        bits = Long.parseUnsignedLong(text.substring(2).replace("U", ""), 16);
      } else if (text.matches("[1-9][0-9]*U?|0")) {
        bits = Long.parseUnsignedLong(text.replace("U", ""));
      } else {
        throw tokens.fault("number '" + text + "' is not known to the emulator");
      }
      if (minus && kind != 'i') {
        throw tokens.fault("a minus before '" + text + "' is not known to the emulator");
      }
      tokens.take();
      return new Statement.Number(minus ? -bits : bits, kind);
    } catch (NumberFormatException e) {
      throw tokens.fault("number '" + text + "' is too large");
    }
  }
}
