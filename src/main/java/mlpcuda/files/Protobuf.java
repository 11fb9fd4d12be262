package mlpcuda.files;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * One message in Protocol Buffers' wire format: fields in the order they are added, each behind a
 * tag, {@code number << 3 | wire type}. A message refers to its parts instead of copying their
 * bytes, so that an array of floats is written without a copy.
 *
 * <p>Source: protobuf.dev/programming-guides/encoding.
 */
public final class Protobuf {
  private static final int VARINT = 0;
  private static final int BITS_64 = 1;
  private static final int LENGTH_DELIMITED = 2;
  private static final int BITS_32 = 5;
  private static final int CHUNK_BYTES = 1 << 16;

  /** A part of a message, which writes exactly as many bytes as the message has counted for it. */
  private interface Bytes {
    /** Writes the part. */
    public void writeTo(OutputStream out) throws IOException;
  }

  private final List<Bytes> parts = new ArrayList<>();
  private long size;

  /** The number of bytes of the message. */
  public long size() {
    return size;
  }

  /** Writes the message. */
  public void writeTo(OutputStream out) throws IOException {
    for (Bytes part : parts) {
      part.writeTo(out);
    }
  }

  /** The bytes of the message. */
  public byte[] toByteArray() {
    var out = new ByteArrayOutputStream();
    try {
      writeTo(out);
    } catch (IOException e) {
      throw new UncheckedIOException(e); // a write to memory does not fail
    }
    return out.toByteArray();
  }

  /** Adds a field of type int32, int64 or of an enumeration. */
  public Protobuf add(int field, long value) {
    varint((long) field << 3 | VARINT);
    varint(value);
    return this;
  }

  /** Adds a field of type string. */
  public Protobuf add(int field, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    return delimited(field, bytes.length, out -> out.write(bytes));
  }

  /** Adds a field of type bytes. */
  public Protobuf add(int field, byte[] bytes) {
    return delimited(field, bytes.length, out -> out.write(bytes));
  }

  /** Adds a field of type double. */
  public Protobuf add(int field, double value) {
    varint((long) field << 3 | BITS_64);
    return fixed(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putDouble(value));
  }

  /** Adds a field of type float. */
  public Protobuf add(int field, float value) {
    varint((long) field << 3 | BITS_32);
    return fixed(ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putFloat(value));
  }

  private Protobuf fixed(ByteBuffer value) {
    parts.add(out -> out.write(value.array()));
    size += value.capacity();
    return this;
  }

  /** Adds a field that is a message, which must be complete. */
  public Protobuf add(int field, Protobuf message) {
    return delimited(field, message.size, message::writeTo);
  }

  /** Adds a field of type bytes: little-endian floats. */
  public Protobuf add(int field, float[] values) {
    return delimited(field, (long) Float.BYTES * values.length, out -> write(values, out));
  }

  private Protobuf delimited(int field, long length, Bytes bytes) {
    varint((long) field << 3 | LENGTH_DELIMITED);
    varint(length);
    parts.add(bytes);
    size += length;
    return this;
  }

  /**
   * Adds an integer of seven bits a byte, the lowest first; the eighth bit says that more follow.
   */
  private void varint(long value) {
    byte[] bytes = new byte[10];
    int count = 0;
    for (long left = value; count == 0 || left != 0; left >>>= 7) {
      bytes[count++] = (byte) (left & 0x7f | ((left & ~0x7fL) != 0 ? 0x80 : 0));
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
