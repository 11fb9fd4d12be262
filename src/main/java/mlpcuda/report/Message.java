package mlpcuda.report;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * A Protocol Buffers message as it is built, field by field: the part of the wire format that event
 * files need (<a href="https://protobuf.dev/programming-guides/encoding/">protobuf.dev</a>).
 */
final class Message {
  private static final int VARINT = 0; // wire types
  private static final int BITS_64 = 1;
  private static final int LENGTH_DELIMITED = 2;
  private static final int BITS_32 = 5;

  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

  /** Adds an int32, int64 or enum field. */
  Message whole(int field, long value) {
    return varint(field << 3 | VARINT).varint(value);
  }

  /** Adds a double field. */
  Message real64(int field, double value) {
    varint(field << 3 | BITS_64);
    bytes.writeBytes(littleEndian(8).putDouble(value).array());
    return this;
  }

  /** Adds a float field. */
  Message real32(int field, float value) {
    varint(field << 3 | BITS_32);
    bytes.writeBytes(littleEndian(4).putFloat(value).array());
    return this;
  }

  /** Adds a string field. */
  Message text(int field, String value) {
    return bytes(field, value.getBytes(StandardCharsets.UTF_8));
  }

  /** Adds a field that is a message itself. */
  Message message(int field, Message value) {
    return bytes(field, value.toByteArray());
  }

  /** Adds a bytes field. */
  Message bytes(int field, byte[] value) {
    varint(field << 3 | LENGTH_DELIMITED).varint(value.length);
    bytes.writeBytes(value);
    return this;
  }

  byte[] toByteArray() {
    return bytes.toByteArray();
  }

  /** Seven bits a byte, the lowest first; the eighth says that more follow. */
  private Message varint(long value) {
    long rest = value;
    while ((rest & ~0x7FL) != 0) {
      bytes.write((int) (rest & 0x7F | 0x80));
      rest >>>= 7;
    }
    bytes.write((int) rest);
    return this;
  }

  private static ByteBuffer littleEndian(int size) {
    return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
  }
}
