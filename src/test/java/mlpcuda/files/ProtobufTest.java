package mlpcuda.files;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.WireFormat;
import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests that Google's reader finds the fields that were written. */
class ProtobufTest {
  @ParameterizedTest
  @ValueSource(
      longs = {0, 1, 127, 128, 16383, 16384, Integer.MAX_VALUE, 1L << 35, Long.MAX_VALUE, -1})
  void wholeNumbers(long value) throws IOException {
    CodedInputStream in = CodedInputStream.newInstance(new Protobuf().add(3, value).toByteArray());
    assertEquals(3, WireFormat.getTagFieldNumber(in.readTag()));
    assertEquals(value, in.readInt64());
    assertTrue(in.isAtEnd());
  }

  @Test
  void everyKindAndALargeFieldNumber() throws IOException {
    byte[] long200 = new byte[200];
    CodedInputStream in =
        CodedInputStream.newInstance(
            new Protobuf()
                .add(1, -0.1)
                .add(2, Float.NaN)
                .add(16, "é")
                .add(4, long200)
                .add(5, new Protobuf())
                .toByteArray());
    assertEquals(1 << 3 | 1, in.readTag());
    assertEquals(-0.1, in.readDouble());
    assertEquals(2 << 3 | 5, in.readTag());
    assertEquals(Float.NaN, in.readFloat());
    assertEquals(16 << 3 | 2, in.readTag());
    assertEquals("é", in.readString());
    assertEquals(4 << 3 | 2, in.readTag());
    assertEquals(200, in.readByteArray().length);
    assertEquals(5 << 3 | 2, in.readTag());
    assertEquals(0, in.readByteArray().length);
    assertTrue(in.isAtEnd());
  }
}
