package mlpcuda.picture;

import mlpcuda.error.BadFileException;

/**
 * Parses the beginning of a lossless WebP image, up to its pixels, and refuses headers that no
 * encoder writes and that would keep the decoder busy for long: a transformation of all pixels
 * takes three bits and a table a few bits, and the decoder limits the number of neither.
 *
 * <p>Source: RFC 9649, section 3, "Specification for WebP Lossless Bitstream".
 */
final class WebpLossless {
  /**
   * The most sets of Huffman codes, each of which takes the decoder 5 KiB; libwebp writes at most
   * 2600.
   */
  private static final int MOST_CODES = 4096;

  private static final int MAX_LENGTH = 15;
  private static final int LITERALS = 256;
  private static final int LENGTHS = 24;
  private static final int DISTANCES = 40;
  private static final int COLOUR_INDEXING = 3;
  private static final int SUBTRACT_GREEN = 2;

  /** The order in which the file lists the lengths of the codes for code lengths. */
  private static final int[] ORDER = {
    17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
  };

  private final String name;
  private final byte[] bytes;
  private final int end;
  private int at;
  private int bit;

  private WebpLossless(String name, byte[] bytes, int from, int end) {
    this.name = name;
    this.bytes = bytes;
    at = from;
    this.end = end;
  }

  /**
   * Parses the image from its first transformation on.
   *
   * @param from the byte after the image's size
   * @param end the byte after the image
   * @throws BadFileException if the parsed part is malformed or cut off
   */
  static void check(String name, byte[] bytes, int from, int end, int rows, int cols) {
    new WebpLossless(name, bytes, from, end).check(rows, cols);
  }

  private void check(int rows, int cols) {
    int width = cols;
    int seen = 0;
    while (bits(1) == 1) {
      int type = bits(2);
      if ((seen & 1 << type) != 0) {
        throw damaged("one transformation comes twice");
      }
      seen |= 1 << type;
      if (type == COLOUR_INDEXING) {
        int colours = bits(8) + 1;
        image(colours);
        width = blocks(width, colours > 16 ? 0 : colours > 4 ? 1 : colours > 2 ? 2 : 3);
      } else if (type != SUBTRACT_GREEN) {
        int size = bits(3) + 2;
        image(blocks(width, size) * blocks(rows, size));
      }
    }
    cacheBits();
    if (bits(1) == 1) {
      int size = bits(3) + 2;
      int codes = image(blocks(width, size) * blocks(rows, size)) + 1;
      if (codes > MOST_CODES) {
        throw damaged("it needs %d sets of codes, and %d can be read".formatted(codes, MOST_CODES));
      }
    }
  }

  private static int blocks(int side, int bits) {
    return (side + (1 << bits) - 1) >> bits;
  }

  private int cacheBits() {
    if (bits(1) == 0) {
      return 0;
    }
    int bits = bits(4);
    if (bits < 1 || bits > 11) {
      throw damaged("a cache of colours has %d bits".formatted(bits));
    }
    return bits;
  }

  /**
   * Skips an image whose pixels are numbers.
   *
   * @return the largest number, which red and green make together, of any pixel
   */
  private int image(int pixels) {
    int cacheBits = cacheBits();
    int cached = cacheBits == 0 ? 0 : 1 << cacheBits;
    var green = new Code(LITERALS + LENGTHS + cached);
    var red = new Code(LITERALS);
    var blue = new Code(LITERALS);
    var alpha = new Code(LITERALS);
    var distances = new Code(DISTANCES);
    int largest = 0;
    for (int done = 0; done < pixels; ) {
      int symbol = green.next();
      if (symbol < LITERALS) {
        largest = Math.max(largest, red.next() << 8 | symbol);
        blue.next();
        alpha.next();
        done++;
      } else if (symbol < LITERALS + LENGTHS) {
        int length = prefixed(symbol - LITERALS);
        prefixed(distances.next());
        if (length > pixels - done) {
          throw damaged("a copy of pixels goes on after the last");
        }
        done += length;
      } else {
        done++; // a colour of the cache is an earlier pixel's, whose number was counted already
      }
    }
    return largest;
  }

  private int prefixed(int prefix) {
    if (prefix < 4) {
      return prefix + 1;
    }
    int extra = (prefix - 2) >> 1;
    return ((2 + (prefix & 1)) << extra) + bits(extra) + 1;
  }

  /** A prefix code, read from the current position. */
  private final class Code {
    private final int[] counts = new int[MAX_LENGTH + 1];

    /** Symbols by length of their code, then by value; a single symbol takes no bit. */
    private final int[] symbols;

    Code(int alphabet) {
      symbols = bits(1) == 1 ? simple(alphabet) : coded(alphabet);
    }

    private Code(int[] lengths) {
      symbols = ordered(lengths);
    }

    private int[] simple(int alphabet) {
      int count = bits(1) + 1;
      int[] lengths = new int[alphabet];
      int symbol = known(bits(bits(1) == 0 ? 1 : 8), alphabet);
      lengths[symbol] = 1;
      if (count == 2) {
        int other = known(bits(8), alphabet);
        if (other == symbol) { // decoders disagree about the bits of such a code
          throw damaged("a code has one symbol twice");
        }
        lengths[other] = 1;
      }
      return ordered(lengths);
    }

    private int known(int symbol, int alphabet) {
      if (symbol >= alphabet) {
        throw damaged("a code has the symbol %d of %d".formatted(symbol, alphabet));
      }
      return symbol;
    }

    private int[] coded(int alphabet) {
      int[] first = new int[ORDER.length];
      int told = bits(4) + 4;
      for (int i = 0; i < told; i++) {
        first[ORDER[i]] = bits(3);
      }
      var code = new Code(first);
      int left = bits(1) == 0 ? alphabet : 2 + bits(2 + 2 * bits(3));
      int[] lengths = new int[alphabet];
      int before = 8;
      for (int i = 0; i < alphabet && left > 0; left--) {
        int symbol = code.next();
        if (symbol < 16) {
          lengths[i++] = symbol;
          before = symbol == 0 ? before : symbol;
          continue;
        }
        int times = symbol == 16 ? 3 + bits(2) : symbol == 17 ? 3 + bits(3) : 11 + bits(7);
        if (times > alphabet - i) {
          throw damaged("a code has more symbols than there are");
        }
        for (int end = i + times; i < end; i++) {
          lengths[i] = symbol == 16 ? before : 0;
        }
      }
      return ordered(lengths);
    }

    private int[] ordered(int[] lengths) {
      int n = 0;
      int room = 1 << MAX_LENGTH;
      for (int length : lengths) {
        if (length > 0) {
          counts[length]++;
          room -= 1 << (MAX_LENGTH - length);
          n++;
        }
      }
      if (n == 0 || n > 1 && room != 0) {
        throw damaged("a code is not whole");
      }
      int[] ordered = new int[n];
      int next = 0;
      for (int length = 1; length <= MAX_LENGTH; length++) {
        for (int symbol = 0; symbol < lengths.length && counts[length] > 0; symbol++) {
          if (lengths[symbol] == length) {
            ordered[next++] = symbol;
          }
        }
      }
      return ordered;
    }

    int next() {
      if (symbols.length == 1) {
        return symbols[0];
      }
      int code = 0;
      int first = 0; // the first code of the current length
      int index = 0; // the index of the symbol of that code
      for (int length = 1; ; length++) { // the loop ends, because the code is complete
        code |= bits(1);
        if (code - first < counts[length]) {
          return symbols[index + code - first];
        }
        index += counts[length];
        first = (first + counts[length]) << 1;
        code <<= 1;
      }
    }
  }

  /** Reads the next bits; the first bit is the lowest. */
  private int bits(int count) {
    int value = 0;
    for (int i = 0; i < count; i++) {
      if (at >= end) {
        throw new BadFileException(name + ": the WebP is cut off, copy it again");
      }
      value |= (bytes[at] >> bit & 1) << i;
      if (++bit == 8) {
        bit = 0;
        at++;
      }
    }
    return value;
  }

  private BadFileException damaged(String finding) {
    return new BadFileException(name + ": the WebP is damaged: " + finding);
  }
}
