package mlpcuda.model;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Changes safetensors files: blindly, or so that the header stays a header. */
final class Mutations {
  private static final String JSON = "{}[],:\"\\0123456789.-eE \n";
  private static final Pattern NUMBER = Pattern.compile("\\d+");
  private static final Pattern STRING = Pattern.compile("\"[^\"]*\"");
  private static final List<String> NUMBERS =
      List.of(
          "0",
          "1",
          "-1",
          "2147483647",
          "2147483648",
          "9223372036854775807",
          "18446744073709551616",
          "1e9",
          "0.5",
          "NaN",
          "00",
          "");

  private final byte[] good;
  private final Random random;

  /** Creates changed copies of {@code good}; the same seed gives the same changes. */
  Mutations(byte[] good, long seed) {
    this.good = good;
    this.random = new Random(seed);
  }

  /** Returns the next changed file, which equals the good file now and then. */
  byte[] next() {
    byte[] bytes = good.clone();
    return switch (random.nextInt(10)) {
      case 0 -> {
        for (int i = random.nextInt(3); i >= 0; i--) {
          bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
        }
        yield bytes;
      }
      case 1 -> {
        bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
        yield bytes;
      }
      case 2 -> Arrays.copyOf(bytes, random.nextInt(bytes.length + 1));
      case 3 -> joined(bytes, random(1 + random.nextInt(40)));
      case 4 -> { // a piece is inserted between others or overwrites them
        int at = random.nextInt(bytes.length);
        int skipped = random.nextBoolean() ? 0 : Math.min(random.nextInt(40), bytes.length - at);
        yield joined(
            Arrays.copyOf(bytes, at),
            random(random.nextInt(20)),
            Arrays.copyOfRange(bytes, at + skipped, bytes.length));
      }
      case 5 -> { // two pieces change places
        int length = 1 + random.nextInt(bytes.length / 4);
        int first = random.nextInt(bytes.length - 2 * length);
        int second = first + length + random.nextInt(bytes.length - 2 * length - first);
        System.arraycopy(good, first, bytes, second, length);
        System.arraycopy(good, second, bytes, first, length);
        yield bytes;
      }
      case 6 -> withLength(length(), header(), values());
      case 7 -> { // characters of JSON
        byte[] header = header();
        for (int i = random.nextInt(4); i >= 0; i--) {
          header[random.nextInt(header.length)] = (byte) JSON.charAt(random.nextInt(JSON.length()));
        }
        yield withHeader(header);
      }
      case 8 -> { // a piece of the header is repeated or removed
        byte[] header = header();
        int from = random.nextInt(header.length);
        int to = from + random.nextInt(Math.min(200, header.length - from + 1));
        int at = random.nextInt(header.length);
        yield withHeader(
            random.nextBoolean()
                ? joined(Arrays.copyOf(header, from), Arrays.copyOfRange(header, to, header.length))
                : joined(
                    Arrays.copyOf(header, at),
                    Arrays.copyOfRange(header, from, to),
                    Arrays.copyOfRange(header, at, header.length)));
      }
      default -> { // a number is changed, or replaced by a text of the header
        String header = new String(header(), StandardCharsets.UTF_8);
        List<String> texts = STRING.matcher(header).results().map(m -> m.group()).toList();
        yield withHeader(
            (random.nextBoolean()
                    ? replaced(header, NUMBER, NUMBERS)
                    : replaced(header, STRING, texts))
                .getBytes(StandardCharsets.UTF_8));
      }
    };
  }

  /**
   * Overwrites a file in place: making it anew for each change would take most of a test's time.
   */
  static void overwrite(Path file, byte[] bytes) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      channel.truncate(bytes.length);
      channel.write(ByteBuffer.wrap(bytes));
    }
  }

  private String replaced(String text, Pattern pattern, List<String> others) {
    Matcher matcher = pattern.matcher(text);
    int chosen = random.nextInt((int) pattern.matcher(text).results().count());
    for (int i = 0; i <= chosen; i++) {
      matcher.find();
    }
    String other = others.get(random.nextInt(others.size()));
    return text.substring(0, matcher.start()) + other + text.substring(matcher.end());
  }

  /** A wrong length of the header. */
  private long length() {
    return switch (random.nextInt(4)) {
      case 0 -> random.nextLong();
      case 1 -> random.nextInt(2 * good.length);
      case 2 -> headerBytes() + random.nextInt(17) - 8;
      default -> 1L << random.nextInt(64);
    };
  }

  private int headerBytes() {
    return (int) ByteBuffer.wrap(good).order(ByteOrder.LITTLE_ENDIAN).getLong();
  }

  private byte[] header() {
    return Arrays.copyOfRange(
        good, Safetensors.LENGTH_BYTES, Safetensors.LENGTH_BYTES + headerBytes());
  }

  private byte[] values() {
    return Arrays.copyOfRange(good, Safetensors.LENGTH_BYTES + headerBytes(), good.length);
  }

  private byte[] withHeader(byte[] header) {
    return withLength(header.length, header, values());
  }

  private static byte[] withLength(long length, byte[] header, byte[] values) {
    byte[] bytes = new byte[Safetensors.LENGTH_BYTES];
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putLong(length);
    return joined(bytes, header, values);
  }

  private byte[] random(int length) {
    byte[] bytes = new byte[length];
    random.nextBytes(bytes);
    return bytes;
  }

  private static byte[] joined(byte[]... parts) {
    var joined = ByteBuffer.allocate(Stream.of(parts).mapToInt(part -> part.length).sum());
    for (byte[] part : parts) {
      joined.put(part);
    }
    return joined.array();
  }
}
