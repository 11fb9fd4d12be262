package mlpcuda.data;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;
import mlpcuda.error.BadFileException;
import mlpcuda.files.HeapMemory;
import mlpcuda.files.InputFile;

/**
 * Inflates a gzip file that lies in memory. Any damage is reported by a {@link BadFileException}: a
 * stream that is cut off, a wrong checksum, and also bytes after the last member, which {@code
 * java.util.zip.GZIPInputStream} ignores. Consecutive members are read as one stream. Zeros after
 * the last member are ignored, as gzip itself ignores them: tapes and some archivers pad files with
 * zeros.
 *
 * <p>Source: RFC 1952, "GZIP file format specification version 4.3".
 */
public final class GzipInput extends InputStream {
  private static final int HEADER_BYTES = 10;
  private static final int TRAILER_BYTES = 8;
  private static final int DEFLATE = 8;
  private static final int BUFFER_BYTES = 1 << 16;

  /** The length of the largest array that common JVMs allocate. */
  private static final int MOST_BYTES = Integer.MAX_VALUE - 8;

  private static final int HEADER_CRC = 0x02;
  private static final int EXTRA = 0x04;
  private static final int NAME = 0x08;
  private static final int COMMENT = 0x10;
  private static final int RESERVED = 0xE0;

  private final String name;
  private final byte[] file;
  private final Inflater inflater = new Inflater(true);
  private final CRC32 crc = new CRC32();
  private int at;
  private boolean ended;

  /**
   * Creates a stream; {@code name} is the file's name in messages, {@code file} all of its bytes,
   * which are not copied.
   */
  GzipInput(String name, byte[] file) {
    this.name = name;
    this.file = file;
    startMember();
  }

  /**
   * Opens a file, or standard input for {@code -}, and inflates it if it is a gzip file by its
   * first bytes. The compressed bytes are kept in memory.
   *
   * @throws BadFileException while it is read, if it is a damaged gzip file
   * @throws IOException if it cannot be read
   */
  public static InputStream open(Path file) throws IOException {
    var in = new BufferedInputStream(InputFile.open(file), BUFFER_BYTES);
    try {
      in.mark(2);
      byte[] start = in.readNBytes(2);
      in.reset();
      if (!isGzip(start, 0)) {
        return in;
      }
      if (Files.isRegularFile(file)) {
        HeapMemory.require(InputFile.name(file), Files.size(file));
      }
      byte[] compressed = in.readNBytes(MOST_BYTES);
      if (in.read() >= 0) {
        throw new BadFileException(
            "%s: the gzip file has more than the %d bytes that can be read"
                .formatted(InputFile.name(file), MOST_BYTES));
      }
      in.close();
      return new GzipInput(InputFile.name(file), compressed);
    } catch (IOException | RuntimeException e) {
      in.close();
      throw e;
    }
  }

  /** Whether {@code file} has the two magic bytes of gzip at {@code at}. */
  public static boolean isGzip(byte[] file, int at) {
    return file.length - at >= 2 && file[at] == 0x1f && file[at + 1] == (byte) 0x8b;
  }

  @Override
  public int read() {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] buffer, int offset, int length) {
    if (length == 0) {
      return 0;
    }
    while (!ended) {
      int n = inflate(buffer, offset, length);
      if (n > 0) {
        crc.update(buffer, offset, n);
        return n;
      }
      if (!inflater.finished()) {
        throw truncated();
      }
      endMember();
    }
    return -1;
  }

  @Override
  public void close() {
    inflater.end();
    ended = true;
  }

  private int inflate(byte[] buffer, int offset, int length) {
    try {
      return inflater.inflate(buffer, offset, length);
    } catch (DataFormatException e) {
      throw bad("damaged: %s after %d bytes".formatted(e.getMessage(), inflater.getBytesWritten()));
    }
  }

  private void startMember() {
    int start = at;
    need(HEADER_BYTES);
    int method = file[start + 2] & 0xff;
    if (method != DEFLATE) {
      throw bad("compression method must be %d, found %d".formatted(DEFLATE, method));
    }
    int flags = file[start + 3] & 0xff;
    if ((flags & RESERVED) != 0) {
      throw bad("flags must be below 0x20, found 0x%02x".formatted(flags));
    }
    at += HEADER_BYTES;
    if ((flags & EXTRA) != 0) {
      need(2);
      int length = (int) littleEndian(2);
      need(length);
      at += length;
    }
    if ((flags & NAME) != 0) {
      skipText();
    }
    if ((flags & COMMENT) != 0) {
      skipText();
    }
    if ((flags & HEADER_CRC) != 0) {
      crc.reset();
      crc.update(file, start, at - start);
      need(2);
      compare("header CRC-16", littleEndian(2), crc.getValue() & 0xffff);
    }
    crc.reset();
    inflater.reset();
    inflater.setInput(file, at, file.length - at);
  }

  private void endMember() {
    at = file.length - inflater.getRemaining();
    need(TRAILER_BYTES);
    compare("CRC-32", littleEndian(4), crc.getValue());
    compare("length", littleEndian(4), inflater.getBytesWritten() & 0xffffffffL);
    if (isGzip(file, at)) {
      startMember();
    } else if (onlyZerosLeft()) {
      ended = true;
    } else {
      throw bad(
          "must end at byte %d, found %d bytes after the end".formatted(at, file.length - at));
    }
  }

  private boolean onlyZerosLeft() {
    for (int i = at; i < file.length; i++) {
      if (file[i] != 0) {
        return false;
      }
    }
    return true;
  }

  private void compare(String what, long stored, long found) {
    if (stored != found) {
      throw bad("damaged: %s must be 0x%08x, found 0x%08x".formatted(what, stored, found));
    }
  }

  private void skipText() {
    do {
      need(1);
    } while (file[at++] != 0);
  }

  private long littleEndian(int bytes) {
    long value = 0;
    for (int i = 0; i < bytes; i++) {
      value |= (file[at++] & 0xffL) << (8 * i);
    }
    return value;
  }

  private void need(int bytes) {
    if (file.length - at < bytes) {
      throw truncated();
    }
  }

  private BadFileException truncated() {
    return bad("truncated: the file ends at byte " + file.length + ", inside the stream");
  }

  private BadFileException bad(String finding) {
    inflater.end();
    ended = true;
    return new BadFileException(name + ": gzip stream " + finding);
  }
}
