package mlpcuda.input;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import mlpcuda.error.BadFileException;
import mlpcuda.files.OneLine;

/**
 * Parses lines of {@code label index:value …}, whose indices ascend. A {@code #} and what follows
 * it in a line is a comment; lines without a label are skipped. The parser keeps one example at a
 * time in memory.
 *
 * <p>Sources: the README files of LIBSVM and of SVM-light.
 */
final class LibsvmLines {
  private static final int LONGEST_WORD = 200;
  private static final int END = -1;

  private final String name;
  private final InputStream in;
  private final int mostIndex;
  private final byte[] word = new byte[LONGEST_WORD];
  private int wordLength;
  private int next; // the byte after the last word
  private long line = 1;
  private String label = "";
  private int[] indices = new int[64];
  private float[] values = new float[64];
  private int count;

  /**
   * Creates a parser.
   *
   * @param name the file, for messages
   * @param in the file's content, buffered
   * @param mostIndex the largest index that is accepted
   */
  LibsvmLines(String name, InputStream in, int mostIndex) throws IOException {
    this.name = name;
    this.in = in;
    this.mostIndex = mostIndex;
    this.next = in.read();
    if (next == 0xef) { // UTF-8's byte order mark, which some editors of Windows write
      in.skipNBytes(2);
      next = in.read();
    }
  }

  /**
   * Goes to the next example.
   *
   * @return whether there is one
   * @throws BadFileException if a line is malformed, with its number
   */
  boolean next() throws IOException {
    while (next != END) {
      if (nextWord()) {
        label = label(text());
        count = 0;
        while (nextWord()) {
          addPair(text());
        }
        endLine();
        return true;
      }
      endLine();
    }
    return false;
  }

  /** The label; of a whole number its decimal text, so that {@code +1} and {@code 1} are one. */
  String label() {
    return label;
  }

  /** The number of values of the example. */
  int count() {
    return count;
  }

  /** The indices of the values, ascending; the first {@link #count} of the array are valid. */
  int[] indices() {
    return indices;
  }

  /** The values, which are finite; the first {@link #count} of the array are valid. */
  float[] values() {
    return values;
  }

  /** Reads the next word of the line; false at the line's end. */
  private boolean nextWord() throws IOException {
    while (next == ' ' || next == '\t' || next == '\r') {
      next = in.read();
    }
    if (next == '#') {
      while (next != '\n' && next != END) {
        next = in.read();
      }
    }
    wordLength = 0;
    while (next > ' ' && next != '#') {
      if (wordLength == LONGEST_WORD) {
        throw bad("a word has more than %d characters: %s…".formatted(LONGEST_WORD, shown(text())));
      }
      word[wordLength++] = (byte) next;
      next = in.read();
    }
    if (wordLength == 0 && next != '\n' && next != END) {
      throw bad("a text must have no control characters, found byte 0x%02x".formatted(next));
    }
    return wordLength > 0;
  }

  private void endLine() throws IOException {
    if (next == '\n') {
      next = in.read();
      line++;
    }
  }

  private String text() {
    return new String(word, 0, wordLength, StandardCharsets.UTF_8);
  }

  private static String shown(String word) {
    return OneLine.start(word, 40);
  }

  private String label(String word) {
    if (word.indexOf(':') >= 0) {
      throw bad("a line must begin with its label, found " + shown(word));
    }
    if (word.indexOf(',') >= 0) {
      throw bad("an example must have one label, found " + shown(word));
    }
    if (isDecimal(word)) {
      try {
        double number = Double.parseDouble(word);
        return LabelCollector.isWhole(number) ? LabelCollector.name(number) : word;
      } catch (NumberFormatException e) {
        return word; // such as "-" or "e", which are texts
      }
    }
    return word;
  }

  private void addPair(String word) {
    int colon = word.indexOf(':');
    if (colon < 0) {
      throw bad("index:value must follow the label, found " + shown(word));
    }
    String before = word.substring(0, colon);
    if (before.equals("qid")) {
      throw bad(
          "found %s, the query of a ranking; examples must have classes".formatted(shown(word)));
    }
    int index = index(before, word);
    if (count > 0 && index <= indices[count - 1]) {
      throw bad("indices must ascend, found %d after %d".formatted(index, indices[count - 1]));
    }
    if (count == indices.length) {
      indices = Arrays.copyOf(indices, 2 * count);
      values = Arrays.copyOf(values, 2 * count);
    }
    indices[count] = index;
    values[count++] = value(index, word.substring(colon + 1));
  }

  private int index(String digits, String word) {
    if (digits.isEmpty() || !digits.chars().allMatch(c -> c >= '0' && c <= '9')) {
      throw bad("an index must be a whole number, found " + shown(word));
    }
    long index = digits.length() > 18 ? Long.MAX_VALUE : Long.parseLong(digits);
    if (index > mostIndex) {
      throw bad(
          "an index may be %,d at most here, found %s"
              .formatted(mostIndex, OneLine.start(digits, 20)));
    }
    return (int) index;
  }

  private float value(int index, String text) {
    try {
      float value = isDecimal(text) ? Float.parseFloat(text) : Float.NaN;
      if (Float.isFinite(value)) {
        return value;
      }
    } catch (NumberFormatException e) {
      // The message below says it.
    }
    throw bad(
        "values must be finite 32-bit floats, found %s at index %d"
            .formatted(OneLine.orNothing(shown(text)), index));
  }

  /** Whether a text has no other characters than decimal numbers have. */
  private static boolean isDecimal(String text) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if ((c < '0' || c > '9') && c != '.' && c != '-' && c != '+' && c != 'e' && c != 'E') {
        return false;
      }
    }
    return !text.isEmpty();
  }

  private BadFileException bad(String finding) {
    return new BadFileException("%s: line %,d: %s".formatted(name, line, finding));
  }
}
