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
  private final boolean withValues;
  private final byte[] buffer = new byte[1 << 16];
  private int at; // the next byte of the buffer
  private int end; // the number of bytes in the buffer
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
   * @param in the file's content
   * @param mostIndex the largest index that is accepted
   * @param withValues whether values are parsed; if not, they are neither checked nor returned
   */
  LibsvmLines(String name, InputStream in, int mostIndex, boolean withValues) throws IOException {
    this.name = name;
    this.in = in;
    this.mostIndex = mostIndex;
    this.withValues = withValues;
    this.next = read();
    if (next == 0xef) { // UTF-8's byte order mark, which some editors of Windows write
      read();
      read();
      next = read();
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
          addPair();
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

  /** Reads a byte from the buffer: a stream's own method for a byte is several times slower. */
  private int read() throws IOException {
    if (at == end) {
      end = in.read(buffer);
      at = 0;
      if (end <= 0) {
        end = 0;
        return END;
      }
    }
    return buffer[at++] & 0xff;
  }

  /** Reads the next word of the line; false at the line's end. */
  private boolean nextWord() throws IOException {
    while (next == ' ' || next == '\t' || next == '\r') {
      next = read();
    }
    if (next == '#') {
      while (next != '\n' && next != END) {
        next = read();
      }
    }
    wordLength = 0;
    while (next > ' ' && next != '#') {
      if (wordLength == LONGEST_WORD) {
        throw bad("a word has more than %d characters: %s…".formatted(LONGEST_WORD, shown(text())));
      }
      word[wordLength++] = (byte) next;
      next = read();
    }
    if (wordLength == 0 && next != '\n' && next != END) {
      throw bad("a text must have no control characters, found byte 0x%02x".formatted(next));
    }
    return wordLength > 0;
  }

  private void endLine() throws IOException {
    if (next == '\n') {
      next = read();
      line++;
    }
  }

  private String text() {
    return text(0);
  }

  private String text(int from) {
    return new String(word, from, wordLength - from, StandardCharsets.UTF_8);
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
        return word; // the word is a text, such as "-" or "e"
      }
    }
    return word;
  }

  private void addPair() {
    int colon = 0;
    while (colon < wordLength && word[colon] != ':') {
      colon++;
    }
    if (colon == wordLength) {
      throw bad("index:value must follow the label, found " + shown(text()));
    }
    int index = index(colon);
    if (count > 0 && index <= indices[count - 1]) {
      throw bad("indices must ascend, found %d after %d".formatted(index, indices[count - 1]));
    }
    if (count == indices.length) {
      indices = Arrays.copyOf(indices, 2 * count);
      values = Arrays.copyOf(values, 2 * count);
    }
    indices[count] = index;
    values[count++] = withValues ? value(index, text(colon + 1)) : Float.NaN;
  }

  /** Parses the index that the first {@code length} bytes of the word are. */
  private int index(int length) {
    long index = 0;
    for (int i = 0; i < length; i++) {
      if (word[i] < '0' || word[i] > '9') {
        throw text().startsWith("qid:")
            ? bad(
                "found %s, the query of a ranking; examples must have classes"
                    .formatted(shown(text())))
            : notAnIndex();
      }
      index = Math.min(Integer.MAX_VALUE, 10 * index + word[i] - '0');
    }
    if (length == 0) {
      throw notAnIndex();
    }
    if (index > mostIndex) {
      throw bad(
          "an index may be %,d at most here, found %s"
              .formatted(mostIndex, OneLine.start(text().substring(0, length), 20)));
    }
    return (int) index;
  }

  private BadFileException notAnIndex() {
    return bad("an index must be a whole number, found " + shown(text()));
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
