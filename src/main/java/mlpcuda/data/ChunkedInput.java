package mlpcuda.data;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;

/**
 * The body of an HTTP answer that comes in chunks, whose lengths are sent with them. Trailing
 * headers are not read: the connection is closed after the body.
 *
 * <p>Source: RFC 9112, section 7.1.
 */
final class ChunkedInput extends InputStream {
  private final InputStream in;
  private int left;
  private boolean begun;
  private boolean ended;

  /** Reads from {@code in}, which is at the first chunk's length; its maker closes it. */
  ChunkedInput(InputStream in) {
    this.in = in;
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] buffer, int offset, int length) throws IOException {
    if (length == 0) {
      return 0;
    }
    if (left == 0 && !ended) {
      startChunk();
    }
    if (ended) {
      return -1;
    }
    int n = in.read(buffer, offset, Math.min(length, left));
    if (n < 0) {
      throw new EOFException("ended inside a chunk");
    }
    left -= n;
    return n;
  }

  private void startChunk() throws IOException {
    if (begun && !HttpGet.line(in).isEmpty()) {
      throw new IOException("a chunk is longer than announced");
    }
    begun = true;
    String size = HttpGet.line(in).replaceFirst("[ \t]*(;.*)?$", "");
    if (!size.matches("[0-9a-fA-F]{1,7}")) { // below 256 MiB, so that no int overflows
      throw new IOException("a chunk has a bad length");
    }
    left = Integer.parseInt(size, 16);
    ended = left == 0;
  }
}
