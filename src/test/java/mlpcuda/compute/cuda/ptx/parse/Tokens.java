package mlpcuda.compute.cuda.ptx.parse;

import java.util.ArrayList;
import java.util.List;
import mlpcuda.compute.cuda.ptx.Fault;

/** The words and signs of a text of PTX in their order, without its comments. */
final class Tokens {
  private record Token(String text, int line) {}

  private final String module;
  private final List<Token> tokens = new ArrayList<>();
  private int next;

  Tokens(String module, String text) {
    this.module = module;
    int line = 1;
    for (int i = 0; i < text.length(); ) {
      char c = text.charAt(i);
      if (c == '\n') {
        line++;
      }
      int end = i + 1;
      if (text.startsWith("//", i)) {
        end = orEnd(text.indexOf('\n', i), text);
      } else if (text.startsWith("/*", i)) {
        end = orEnd(text.indexOf("*/", i) + 2, text);
        line += (int) text.substring(i, end).chars().filter(x -> x == '\n').count();
      } else if (c == '"') {
        end = orEnd(text.indexOf('"', i + 1) + 1, text);
        tokens.add(new Token(text.substring(i, end), line));
      } else if (isOfWord(c)) {
        // L1::no_allocate is one word; a single colon ends a label.
        while (end < text.length()
            && (isOfWord(text.charAt(end))
                || text.startsWith("::", end)
                || isSecondColon(text, end))) {
          end++;
        }
        tokens.add(new Token(text.substring(i, end), line));
      } else if (!Character.isWhitespace(c)) {
        tokens.add(new Token(String.valueOf(c), line));
      }
      i = end;
    }
  }

  private static int orEnd(int at, String text) {
    return at <= 0 ? text.length() : at;
  }

  private static boolean isSecondColon(String text, int at) {
    return text.startsWith("::", at - 1);
  }

  private static boolean isOfWord(char c) {
    return Character.isLetterOrDigit(c) || c == '_' || c == '.' || c == '$' || c == '%';
  }

  boolean atEnd() {
    return next == tokens.size();
  }

  /** The line of the next token. */
  int line() {
    return tokens.isEmpty() ? 1 : tokens.get(Math.min(next, tokens.size() - 1)).line();
  }

  /** The next token, which is not taken; empty at the end. */
  String peek() {
    return atEnd() ? "" : tokens.get(next).text();
  }

  /** The token after the next; empty at the end. */
  String peekSecond() {
    return next + 1 < tokens.size() ? tokens.get(next + 1).text() : "";
  }

  String take() {
    if (atEnd()) {
      throw fault("the text ends too early");
    }
    return tokens.get(next++).text();
  }

  /** Takes the next token if it is that one. */
  boolean takeIf(String text) {
    boolean is = peek().equals(text);
    next += is ? 1 : 0;
    return is;
  }

  void expect(String text) {
    if (!takeIf(text)) {
      throw fault("'" + text + "' expected, found '" + peek() + "'");
    }
  }

  /** Whether the next token starts with a digit. */
  boolean atNumber() {
    return !atEnd() && Character.isDigit(peek().charAt(0));
  }

  /** Takes a whole number that is not negative. */
  int takeNumber() {
    String text = peek();
    if (!text.matches("[0-9]+")) {
      throw fault("a number expected, found '" + text + "'");
    }
    return Integer.parseInt(take());
  }

  /** All tokens from {@code first} to the one before the next, as one text. */
  String textSince(int first) {
    StringBuilder text = new StringBuilder();
    for (int i = first; i < next; i++) {
      String token = tokens.get(i).text();
      boolean tight = text.length() == 0 || ",;]}|+>".contains(token) || endsTight(text);
      text.append(tight ? "" : " ").append(token);
    }
    return text.toString();
  }

  private static boolean endsTight(StringBuilder text) {
    return "[{|+-!@".indexOf(text.charAt(text.length() - 1)) >= 0;
  }

  /** The position of the next token, for {@link #textSince}. */
  int position() {
    return next;
  }

  /** A fault of the text here. */
  Fault fault(String what) {
    return new Fault(module + ", line " + line() + ": " + what);
  }

  /** A fault of the text in that line. */
  Fault fault(int line, String what) {
    return new Fault(module + ", line " + line + ": " + what);
  }
}
