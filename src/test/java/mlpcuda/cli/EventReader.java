package mlpcuda.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.UnknownFieldSet;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32C;

/**
 * Reads TensorBoard's event files with Google's own protobuf library. It checks every CRC, and that
 * there is no field that it does not know.
 */
final class EventReader {
  private EventReader() {}

  /** A number at a step. */
  record Point(long step, float value) {}

  /**
   * The events of a file.
   *
   * @param start the step of the session's start
   * @param scalars the scalars by tag, in the file's order
   * @param images the images by tag
   */
  record Events(
      double firstTime,
      double lastTime,
      long start,
      Map<String, List<Point>> scalars,
      Map<String, Image> images) {
    List<Point> points(String tag) {
      return scalars.getOrDefault(tag, List.of());
    }
  }

  /** An image summary. */
  record Image(long step, long height, long width, long colorspace, byte[] encoded) {}

  static Events read(Path file) throws IOException {
    List<UnknownFieldSet> events = new ArrayList<>();
    for (byte[] data : records(Files.readAllBytes(file))) {
      events.add(UnknownFieldSet.parseFrom(data));
    }
    assertFields(events.get(0), 1, 3);
    assertEquals("brain.Event:2", text(events.get(0), 3));
    assertFields(events.get(1), 1, 2, 7);
    UnknownFieldSet log = message(only(events.get(1), 7));
    assertFields(log, 1);
    assertEquals(1, whole(log, 1), "START");
    var scalars = new LinkedHashMap<String, List<Point>>();
    var images = new LinkedHashMap<String, Image>();
    for (UnknownFieldSet event : events.subList(2, events.size())) {
      assertFields(event, 1, 2, 5);
      UnknownFieldSet summary = message(only(event, 5));
      assertFields(summary, 1);
      for (ByteString bytes : summary.getField(1).getLengthDelimitedList()) {
        UnknownFieldSet value = message(bytes);
        String tag = text(value, 1);
        if (value.hasField(4)) {
          assertFields(value, 1, 4);
          images.put(tag, image(whole(event, 2), message(only(value, 4))));
        } else {
          assertFields(value, 1, 2);
          float number = Float.intBitsToFloat(value.getField(2).getFixed32List().get(0));
          scalars
              .computeIfAbsent(tag, t -> new ArrayList<>())
              .add(new Point(whole(event, 2), number));
        }
      }
    }
    return new Events(
        time(events.get(0)),
        time(events.get(events.size() - 1)),
        whole(events.get(1), 2),
        scalars,
        images);
  }

  private static Image image(long step, UnknownFieldSet image) {
    assertFields(image, 1, 2, 3, 4);
    return new Image(
        step, whole(image, 1), whole(image, 2), whole(image, 3), only(image, 4).toByteArray());
  }

  /** The data of the records; a wrong CRC or a cut record fails the test. */
  private static List<byte[]> records(byte[] file) {
    var records = new ArrayList<byte[]>();
    ByteBuffer in = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
    while (in.hasRemaining()) {
      assertTrue(in.remaining() >= 12, "part of a record");
      int at = in.position();
      long length = in.getLong();
      assertEquals(masked(file, at, 8), in.getInt() & 0xFFFFFFFFL, "CRC of the length");
      assertTrue(in.remaining() >= length + 4, "part of a record");
      byte[] data = new byte[(int) length];
      in.get(data);
      assertEquals(masked(data, 0, data.length), in.getInt() & 0xFFFFFFFFL, "CRC of the data");
      records.add(data);
    }
    return records;
  }

  /**
   * Masks a CRC as the format's description says: {@code ((crc >> 15) | (crc << 17)) + 0xa282ead8}.
   */
  private static long masked(byte[] bytes, int offset, int length) {
    var crc = new CRC32C();
    crc.update(bytes, offset, length);
    long value = crc.getValue();
    return ((value >> 15 | value << 17) + 0xA282EAD8L) & 0xFFFFFFFFL;
  }

  private static void assertFields(UnknownFieldSet message, Integer... numbers) {
    assertEquals(List.of(numbers), message.asMap().keySet().stream().sorted().toList());
  }

  private static double time(UnknownFieldSet event) {
    return Double.longBitsToDouble(event.getField(1).getFixed64List().get(0));
  }

  private static long whole(UnknownFieldSet message, int field) {
    List<Long> values = message.getField(field).getVarintList();
    assertEquals(1, values.size());
    return values.get(0);
  }

  private static String text(UnknownFieldSet message, int field) {
    return only(message, field).toStringUtf8();
  }

  private static ByteString only(UnknownFieldSet message, int field) {
    List<ByteString> values = message.getField(field).getLengthDelimitedList();
    assertEquals(1, values.size());
    return values.get(0);
  }

  private static UnknownFieldSet message(ByteString bytes) {
    try {
      return UnknownFieldSet.parseFrom(bytes);
    } catch (InvalidProtocolBufferException e) {
      throw new AssertionError(e);
    }
  }
}
