package mlpcuda.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import mlpcuda.error.BadFileException;
import mlpcuda.model.Safetensors.Contents;
import mlpcuda.model.Safetensors.Tensor;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests the reading of others' files, most of them wrong. */
class SafetensorsReaderTest {
  @TempDir Path folder;
  private Path file;

  @BeforeEach
  void nameFile() {
    file = folder.resolve("model.safetensors");
  }

  /** A file that is put together by hand: the header's true length, the header, zeros. */
  private static byte[] bytes(String header, int bufferBytes) {
    byte[] json = header.getBytes(StandardCharsets.UTF_8);
    return ByteBuffer.allocate(8 + json.length + bufferBytes)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(json.length)
        .put(json)
        .array();
  }

  private static byte[] withLength(long length, byte[] bytes) {
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putLong(0, length);
    return bytes;
  }

  private Contents read(byte[] bytes) throws IOException {
    Files.write(file, bytes);
    return Safetensors.read(file);
  }

  private void assertRefused(String keyWords) {
    String message =
        assertThrows(BadFileException.class, () -> Safetensors.read(file)).getMessage();
    assertTrue(message.startsWith(file + ": "), message);
    assertEquals(1, message.lines().count(), message);
    for (String word : keyWords.split("\\|")) {
      assertTrue(message.contains(word), () -> "wanted: " + word + ", found: " + message);
    }
  }

  @Test
  void headerOrderNeedNotBeTheBuffersOrder() throws IOException {
    byte[] bytes =
        bytes(
            "{ \"b\" : {\"data_offsets\":[4,8],\"shape\":[1],\"dtype\":\"F32\"},\n\"e\":"
                + entry("F32", "[0]", "[4,4]")
                + ",\"a\":"
                + entry("F32", "[]", "[0,4]")
                + "}   ",
            8);
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putFloat(bytes.length - 8, 1);
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putFloat(bytes.length - 4, 2);
    Contents contents = read(bytes);
    assertEquals(List.of("a", "e", "b"), List.copyOf(contents.tensors().keySet()));
    assertArrayEquals(new float[] {1}, contents.tensors().get("a").values());
    assertArrayEquals(new float[] {2}, contents.tensors().get("b").values());
  }

  private static String entry(String dtype, String shape, String offsets) {
    return "{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":%s}".formatted(dtype, shape, offsets);
  }

  private static String one(String dtype, String shape, String offsets) {
    return "{\"a\":" + entry(dtype, shape, offsets) + "}";
  }

  private static String two(String first, String second) {
    return "{\"a\":%s,\"b\":%s}".formatted(entry("F32", "[1]", first), entry("F32", "[1]", second));
  }

  static Stream<Arguments> badHeaders() {
    String good = entry("F32", "[2]", "[0,8]");
    return Stream.of(
        // JSON
        Arguments.of("[]", "this is a file of another kind, not a safetensors file"),
        Arguments.of(" {}", "this is a file of another kind, not a safetensors file"),
        Arguments.of("{x}", "must be JSON|character 1"),
        Arguments.of("{\"a\":" + good, "must be JSON"),
        Arguments.of("{\"a\"", "must be JSON"),
        Arguments.of("{\"a\":" + good + ",}", "must be JSON"),
        Arguments.of("{\"a\n\":" + good + "}", "must be JSON"),
        Arguments.of("{\"a\":" + good + "}{}", "must end after its object|found {"),
        Arguments.of("{\"a\":" + good + "} 1", "must end after its object|found 1"),
        Arguments.of("{\"a\":" + good + "}\0", "must be JSON"),
        Arguments.of("{\"a\":" + good + "}]", "must be JSON"),
        Arguments.of("{\"\\ud800\":" + good + "}", "surrogate"),
        Arguments.of("{\"__metadata__\":{\"k\":\"\\udc00\"},\"a\":" + good + "}", "surrogate"),
        // Names
        Arguments.of("{\"a\":" + good + ",\"a\":" + good + "}", "must be JSON|uplicate|'a'"),
        Arguments.of("{\"a\":" + good + ",\"\\u0061\":" + good + "}", "uplicate"),
        Arguments.of("{\"__metadata__\":{\"k\":\"\",\"k\":\"\"},\"a\":" + good + "}", "uplicate"),
        Arguments.of("{\"__metadata__\":{},\"a\":" + good + ",\"__metadata__\":{}}", "uplicate"),
        Arguments.of(one("F32\",\"dtype\":\"F32", "[2]", "[0,8]"), "uplicate"),
        Arguments.of("{\"a\":" + good.replace("}", ",\"x\":1}}"), "tensor a|only, found x"),
        Arguments.of("{\"a\":" + good.replace("}", ",\"x\\n\":1}}"), "found x?"),
        Arguments.of("{\"a\":{\"shape\":[2],\"data_offsets\":[0,8]}}", "tensor a|no dtype"),
        Arguments.of("{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,8]}}", "no shape"),
        Arguments.of("{\"a\":{\"dtype\":\"F32\",\"shape\":[2]}}", "no data_offsets"),
        Arguments.of("{\"a\":3}", "tensor a must be an object|found 3"),
        Arguments.of("{\"a\":null}", "tensor a must be an object|found null"),
        Arguments.of("{\"%s%n\":3}", "tensor %s%n must be an object|found 3"),
        Arguments.of("{\"__metadata__\":[],\"a\":" + good + "}", "__metadata__ must be an object"),
        Arguments.of("{\"__metadata__\":{\"k\":1},\"a\":" + good + "}", "strings only|found 1"),
        Arguments.of("{\"__metadata__\":{\"k\":null},\"a\":" + good + "}", "found null"),
        Arguments.of("{\"__metadata__\":{\"k\":{}},\"a\":" + good + "}", "found {"),
        // Types and shapes
        Arguments.of(one("F33", "[2]", "[0,8]"), "dtype of tensor a|found F33"),
        Arguments.of(one("f32", "[2]", "[0,8]"), "found f32"),
        Arguments.of("{\"a\":{\"dtype\":32}}", "dtype of tensor a must be a string|found 32"),
        Arguments.of(one("F32", "2", "[0,8]"), "shape of tensor a must be an array|found 2"),
        Arguments.of(one("F32", "[2.0]", "[0,8]"), "shape of tensor a|integers|found 2.0"),
        Arguments.of(one("F32", "[2e0]", "[0,8]"), "found 2e0"),
        Arguments.of(one("F32", "[\"2\"]", "[0,8]"), "found 2"),
        Arguments.of(one("F32", "[null]", "[0,8]"), "found null"),
        Arguments.of(one("F32", "[[2]]", "[0,8]"), "found ["),
        Arguments.of(one("F32", "[1,1,1,1,1,1,1,1,2]", "[0,8]"), "at most 8 dimensions"),
        Arguments.of(one("F32", "[-1,-2]", "[0,8]"), "integers from 0|found -1"),
        Arguments.of(one("F32", "[-0]", "[0,0]"), "found -0"),
        Arguments.of(one("F32", "[02]", "[0,8]"), "must be JSON"),
        Arguments.of(one("F32", "[2147483648]", "[0,8]"), "2147483647, found 2147483648"),
        Arguments.of(one("F32", "[9007199254740993,0]", "[0,0]"), "found 9007199254740993"),
        Arguments.of(one("F32", "[18446744073709551618]", "[0,8]"), "found 18446744073709551618"),
        Arguments.of(one("F32", "[1" + "0".repeat(2000) + "]", "[0,8]"), "found 1000|000…"),
        Arguments.of(
            one("F32", "[2147483647,2147483647,2147483647]", "[0,8]"), "tensor a|overflow"),
        Arguments.of(one("F32", "[65536,65536,65536,32768]", "[0,0]"), "tensor a|overflow"),
        Arguments.of(one("F32", "[2147483647,2147483647,2]", "[0,8]"), "overflow"),
        Arguments.of(one("F32", "[65536,65536,65536,65536,0]", "[0,0]"), "overflow"),
        // Offsets; the buffer has 8 bytes
        Arguments.of(one("F32", "[2]", "8"), "data_offsets of tensor a must be an array"),
        Arguments.of(one("F32", "[2]", "[8]"), "data_offsets of tensor a|integers|found ]"),
        Arguments.of(one("F32", "[2]", "[0,8,8]"), "must be two integers|found 8"),
        Arguments.of(one("F32", "[2]", "[0,8.0]"), "found 8.0"),
        Arguments.of(one("F32", "[2]", "[-8,0]"), "found -8"),
        Arguments.of(one("F32", "[2]", "[0,9223372036854775808]"), "found 9223372036854775808"),
        Arguments.of(one("F32", "[2]", "[8,0]"), "must rise|[8, 0]"),
        Arguments.of(one("F32", "[2]", "[0,9223372036854775807]"), "cut off|there are 8"),
        Arguments.of(one("F32", "[3]", "[0,12]"), "cut off|tensor a ends at byte 12|there are 8"),
        Arguments.of(one("F32", "[1]", "[0,8]"), "4 bytes of its dtype and shape|[0, 8]"),
        Arguments.of(one("F32", "[]", "[0,8]"), "4 bytes of its dtype and shape"),
        Arguments.of(one("F32", "[0]", "[0,8]"), "0 bytes of its dtype and shape"),
        Arguments.of(one("F64", "[2]", "[0,8]"), "16 bytes of its dtype and shape"),
        Arguments.of(one("F4", "[15]", "[0,8]"), "whole bytes|60 bits"),
        Arguments.of(two("[0,4]", "[0,4]"), "tensor b|overlap"),
        Arguments.of(two("[4,8]", "[2,6]"), "must begin at byte 0|hole at 2"),
        Arguments.of(two("[0,4]", "[3,7]"), "tensor b|must begin at byte 4|overlap at 3"),
        Arguments.of(
            "{\"a\":" + good + ",\"b\":" + entry("F32", "[0]", "[4,4]") + "}", "tensor b|overlap"),
        Arguments.of(one("F32", "[1]", "[4,8]"), "tensor a|must begin at byte 0|hole at 4"),
        Arguments.of(one("F32", "[1]", "[0,4]"), "buffer's 8 bytes, found 4"),
        Arguments.of("{}", "buffer's 8 bytes, found 0"),
        // The format allows types and sizes that this program does not read.
        Arguments.of(one("F16", "[4]", "[0,8]"), "tensor a is F16, only F32 can be read"),
        Arguments.of(
            one("F6_E2M3", "[4,0]", "[0,0]").replace("}}", "},\"b\":" + good + "}"),
            "tensor a is F6_E2M3, only F32"));
  }

  @ParameterizedTest
  @MethodSource("badHeaders")
  void badHeadersAreRefused(String header, String keyWords) throws IOException {
    Files.write(file, bytes(header, 8));
    assertRefused(keyWords);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "BOOL:8",
        "I8:8",
        "F8_E5M2:8",
        "F8_E4M3:8",
        "F8_E8M0:8",
        "F8_E4M3FNUZ:8",
        "F8_E5M2FNUZ:8",
        "I16:4",
        "F16:4",
        "BF16:4",
        "I32:2",
        "U32:2",
        "I64:1",
        "U64:1",
        "F64:1",
        "C64:1",
        "F4:16"
      })
  void otherDtypesAreKnownAndNamed(String dtypeAndCount) throws IOException {
    String[] parts = dtypeAndCount.split(":");
    Files.write(file, bytes(one(parts[0], "[" + parts[1] + "]", "[0,8]"), 8));
    assertRefused("tensor a is " + parts[0] + ", only F32 can be read");
  }

  @Test
  void moreMetadataThanAnyoneWritesAreRefused() throws IOException {
    var json = new StringBuilder("{\"__metadata__\":{\"0\":\"\"");
    for (int i = 1; i < 1000; i++) {
      json.append(",\"").append(i).append("\":\"\"");
    }
    assertEquals(1000, read(bytes(json + "}}", 0)).metadata().size());
    Files.write(file, bytes(json + ",\"x\":\"\"}}", 0));
    assertRefused("__metadata__ must have at most 1000 entries, found more");
  }

  @Test
  void badLengthsAreRefused() throws IOException {
    Files.write(file, new byte[0]);
    assertRefused("this is an empty file, not a safetensors file");
    Files.write(file, new byte[7]);
    assertRefused("this is a file of another kind, not a safetensors file");
    Files.write(file, new byte[8]);
    assertRefused("this is a file of another kind, not a safetensors file");
    Files.write(file, withLength(1, bytes("{}", 0)));
    assertRefused("this is a file of another kind, not a safetensors file");
    Files.write(file, withLength(3, bytes("{}", 0)));
    assertRefused("cut off|the header needs 3 bytes, and there are 2");
    Files.write(file, withLength(1_048_576, bytes("{}", 0)));
    assertRefused("cut off|the header needs 1048576 bytes, and there are 2");
    Files.write(file, withLength(1_048_577, bytes("{}", 0)));
    assertRefused("the header has 1048577 bytes, more than the 1048576 that can be read");
    Files.write(file, withLength(-1, bytes("{}", 0)));
    assertRefused("this is a file of another kind, not a safetensors file");
  }

  @Test
  void bytesThatAreNotUtf8AreRefused() throws IOException {
    for (String hex : List.of("ff", "c080", "eda080", "f4908080", "c3")) {
      byte[] bad = HexFormat.of().parseHex(hex);
      byte[] bytes = bytes("{\"__metadata__\":{\"k\":\"0123\"}}", 0);
      System.arraycopy(bad, 0, bytes, bytes.length - 3 - bad.length, bad.length);
      Files.write(file, bytes);
      assertRefused("UTF-8");
    }
  }

  @Test
  void whatIsNoFileIsRefused() throws IOException {
    assertRefused("no such file");
    Files.createDirectory(file);
    assertRefused("this is a folder, not a model file");
    Path inside = Files.createFile(file.resolve("model.safetensors"));
    assertRefused("this is a folder, not a model file; the model in it is " + inside);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"a\":",
        "{\"__metadata__\":",
        "{\"__metadata__\":{\"k\":",
        "{\"a\":{\"shape\":[",
        "{\"a\":{\"data_offsets\":[",
        "{\"a\":{\"x\":"
      })
  void deepNestingIsRefused(String start) throws IOException {
    Files.write(file, bytes(start + "[".repeat(200_000) + "]".repeat(200_000) + "}}", 0));
    assertRefused("found ");
    Files.write(file, bytes(start + "{\"a\":".repeat(200_000), 0));
    assertRefused("found ");
  }

  @Test
  void longNamesAreCutInMessages() throws IOException {
    Files.write(file, bytes("{\"" + "n".repeat(60_000) + "\":3}", 0));
    assertRefused("nnn… must be an object");
    Files.write(file, bytes("{\"a\":\"" + "n".repeat(60_000) + "\"}", 0));
    assertRefused("nnn…");
    String message =
        assertThrows(BadFileException.class, () -> Safetensors.read(file)).getMessage();
    assertTrue(message.length() < 1000 + file.toString().length());
  }

  @Test
  void whatIsLongerThanTheHeaderNeedsIsRefused() throws IOException {
    String rule = "names, texts and numbers of the header must have at most 65536 characters";
    for (String start : List.of("{\"", "{\"__metadata__\":{\"k\":\"", "{\"a\":{\"shape\":[")) {
      Files.write(file, bytes(start + "1".repeat(200_000), 0));
      assertRefused(rule);
    }
    var entries = new ArrayList<String>();
    for (int i = 0; i < 10_001; i++) {
      entries.add("\"" + i + "\":" + entry("F32", "[0]", "[0,0]"));
    }
    Files.write(file, bytes("{" + String.join(",", entries) + "}", 0));
    assertRefused("file must hold at most 10000 tensors, found more");
    Files.write(file, bytes("{" + String.join(",", entries.subList(1, 10_001)) + "}", 0));
    assertEquals(10_000, Safetensors.read(file).tensors().size());
  }

  @Test
  void tensorsBeyondAnArrayAreRefused() throws IOException {
    byte[] start = bytes(one("F32", "[65536,32768]", "[0,8589934592]"), 0);
    Files.write(file, start);
    try (RandomAccessFile sparse = new RandomAccessFile(file.toFile(), "rw")) {
      sparse.setLength(start.length + 8_589_934_592L);
    }
    assertRefused("tensor a must have at most|found 2147483648");
  }

  @Test
  void mutatedFilesGiveContentsOrBadFileException() throws IOException {
    Safetensors.write(file, SafetensorsTest.sampleMetadata(), SafetensorsTest.sample());
    byte[] good = Files.readAllBytes(file);
    var mutations = new Mutations(good, 5);
    int readable = 0;
    for (int round = 0; round < 2000; round++) {
      byte[] bytes = mutations.next();
      Mutations.overwrite(file, bytes);
      try {
        Contents contents = Safetensors.read(file);
        readable++;
        long valueBytes = 0;
        for (Tensor tensor : contents.tensors().values()) {
          valueBytes += 4L * tensor.values().length;
        }
        long header = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong();
        assertEquals(bytes.length, 8 + header + valueBytes);
      } catch (BadFileException e) {
        assertTrue(e.getMessage().startsWith(file + ": "), e.getMessage());
        assertEquals(1, e.getMessage().lines().count(), e.getMessage());
      }
    }
    // Both outcomes must occur, or the mutations prove nothing.
    assertTrue(readable > 50 && readable < 1950, "readable: " + readable);
  }

  @Test
  void contentsCannotBeChanged() throws IOException {
    Contents contents = read(bytes("{\"__metadata__\":{\"k\":\"v\"}}", 0));
    assertThrows(UnsupportedOperationException.class, () -> contents.metadata().clear());
    assertThrows(UnsupportedOperationException.class, () -> contents.tensors().clear());
    assertFalse(contents.metadata().isEmpty());
  }

  @Test
  void textsOfOtherTypesAreRefused() throws IOException {
    byte[] bytes = bytes(one("U8", "[2]", "[0,2]"), 2);
    bytes[bytes.length - 1] = (byte) 0x80;
    Files.write(file, bytes);
    assertRefused("text a of type U8 must be ASCII, found byte 0x80");
    Files.write(file, bytes(one("U8", "[2,4]", "[0,8]"), 8));
    assertRefused("tensor a is U8, only F32 can be read");
  }
}
