package mlpcuda.model;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * One message in Protocol Buffers' wire format: fields in the order they are added, each behind a
 * tag, {@code number << 3 | wire type}. An array of floats is written from where it lies, as a
 * message holds its parts and not their bytes.
 *
 * <p>Source: protobuf.dev/programming-guides/encoding.
 */
final class Protobuf {
  private static final int VARINT = 0;
  private static final int LENGTH_DELIMITED = 2;
  private static final int CHUNK_BYTES = 1 << 16;

  /** Writes as many bytes as were announced. */
  private interface Bytes {
    void writeTo(OutputStream out) throws IOException;
  }

  private final List<Bytes> parts = new ArrayList<>();
  private long size;

  /** Number of bytes. */
  long size() {
    return size;
  }

  void writeTo(OutputStream out) throws IOException {
    for (Bytes part : parts) {
      part.writeTo(out);
    }
  }

  /** A field of type int64 or of an enumeration; {@code value} from 0 on. */
  Protobuf add(int field, long value) {
    varint((long) field << 3 | VARINT);
    varint(value);
    return this;
  }

  /** A field of type string. */
  Protobuf add(int field, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    return delimited(field, bytes.length, out -> out.write(bytes));
  }

  /** A field that is a message, complete by now. */
  Protobuf add(int field, Protobuf message) {
    return delimited(field, message.size, message::writeTo);
  }

  /** A field of type bytes: little-endian floats. */
  Protobuf add(int field, float[] values) {
    return delimited(field, (long) Float.BYTES * values.length, out -> write(values, out));
  }

  private Protobuf delimited(int field, long length, Bytes bytes) {
    varint((long) field << 3 | LENGTH_DELIMITED);
    varint(length);
    parts.add(bytes);
    size += length;
    return this;
  }

  /** Seven bits a byte, the lowest first; the eighth says that more follow. */
  private void varint(long value) {
    byte[] bytes = new byte[10];
    int count = 0;
    for (long left = value; count == 0 || left != 0; left >>>= 7) {
      bytes[count++] = (byte) (left & 0x7f | (left > 0x7f ? 0x80 : 0));
    }
    int length = count;
    parts.add(out -> out.write(bytes, 0, length));
    size += length;
  }

  private static void write(float[] values, OutputStream out) throws IOException {
    ByteBuffer chunk = ByteBuffer.allocate(CHUNK_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    for (int done = 0, count; done < values.length; done += count) {
      count = Math.min(values.length - done, CHUNK_BYTES / Float.BYTES);
      chunk.asFloatBuffer().put(values, done, count);
      out.write(chunk.array(), 0, count * Float.BYTES);
    }
  }
}
