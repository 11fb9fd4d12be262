package mlpcuda.report;

import java.io.FilterWriter;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.Writer;

/**
 * Makes text safe to be shown. Names of files, checkpoints, models and the messages of drivers may
 * contain control characters, by which they would command the terminal, and characters that change
 * the direction of the text beside them (<a href="https://www.unicode.org/reports/tr36/">Unicode
 * Technical Report 36</a>). Such a character is printed as {@code \}{@code u} and four hexadecimal
 * digits, which JSON reads as the character itself.
 */
public final class Printable {
  private Printable() {}

  /**
   * A text as one line: line breaks and tabs are escaped as well, so that a name cannot print a
   * line of its own.
   */
  public static String oneLine(String text) {
    var line = new StringBuilder(text.length());
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (isUnsafe(c)) {
        line.append(escape(c));
      } else {
        line.append(c);
      }
    }
    return line.toString();
  }

  /**
   * A writer that prints to {@code out} what the program says. Line breaks and tabs pass, because
   * the program's own tables have them.
   */
  public static PrintWriter safe(PrintWriter out) {
    return new PrintWriter(new Escaping(out), true);
  }

  /**
   * Whether a character may not be printed as it is. Joiners and soft hyphens pass: several scripts
   * are written with them.
   */
  private static boolean isUnsafe(char c) {
    return switch (Character.getType(c)) {
      case Character.CONTROL, Character.LINE_SEPARATOR, Character.PARAGRAPH_SEPARATOR -> true;
      case Character.FORMAT -> c != '\u00ad' && c != '\u200c' && c != '\u200d';
      default -> false;
    };
  }

  private static String escape(char c) {
    return "\\u%04x".formatted((int) c);
  }

  /** Escapes each character that is unsafe, but for line breaks and tabs. */
  private static final class Escaping extends FilterWriter {
    Escaping(Writer out) {
      super(out);
    }

    @Override
    public void write(int c) throws IOException {
      write(new char[] {(char) c}, 0, 1);
    }

    @Override
    public void write(String text, int offset, int length) throws IOException {
      write(text.toCharArray(), offset, length);
    }

    @Override
    public void write(char[] text, int offset, int length) throws IOException {
      int end = offset + length;
      int from = offset; // the first character that is not written yet
      for (int i = offset; i < end; i++) {
        char c = text[i];
        boolean passes = c == '\n' || c == '\t' || c == '\r' && i + 1 < end && text[i + 1] == '\n';
        if (!passes && isUnsafe(c)) {
          out.write(text, from, i - from);
          out.write(escape(c));
          from = i + 1;
        }
      }
      out.write(text, from, end - from);
    }
  }
}
