package mlpcuda.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import mlpcuda.model.Safetensors.Contents;
import mlpcuda.model.Safetensors.Tensor;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests writing files, and reading them again. */
class SafetensorsTest {
  @TempDir Path folder;
  private Path file;

  @BeforeEach
  void nameFile() {
    file = folder.resolve("model.safetensors");
  }

  static Tensor tensor(String name, int[] shape, float... values) {
    return new Tensor(name, shape, values);
  }

  /** Two tensors and metadata: the file that the mutations start from. */
  static List<Tensor> sample() {
    return List.of(
        tensor("layers.0.weight", new int[] {2, 3}, 1, -2, 3, -4, 5, -6),
        tensor("layers.0.bias", new int[] {2}, 0.5f, -0.5f));
  }

  static Map<String, String> sampleMetadata() {
    Map<String, String> metadata = new LinkedHashMap<>();
    metadata.put("format", "pt");
    metadata.put("activation", "relu");
    return metadata;
  }

  @Test
  void tinyFileHasTheBytesOfTheSpecification() throws IOException {
    Safetensors.write(file, Map.of("k", "v"), List.of(tensor("w", new int[] {1, 2}, 1, -2)));

    String json =
        "{\"__metadata__\":{\"k\":\"v\"},"
            + "\"w\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[0,8]}}";
    assertEquals(81, json.length());
    String expected =
        "5800000000000000" // 88: the header and seven spaces
            + HexFormat.of().formatHex((json + " ".repeat(7)).getBytes(StandardCharsets.UTF_8))
            + "0000803f" // 1.0
            + "000000c0"; // -2.0
    assertEquals(expected, HexFormat.of().formatHex(Files.readAllBytes(file)));
  }

  @Test
  void contentsComeBackInOrder() {
    Safetensors.write(file, sampleMetadata(), sample());
    Contents contents = Safetensors.read(file);
    assertEquals(
        List.copyOf(sampleMetadata().entrySet()), List.copyOf(contents.metadata().entrySet()));
    assertEquals(
        List.of("layers.0.weight", "layers.0.bias"), List.copyOf(contents.tensors().keySet()));
    for (Tensor wanted : sample()) {
      Tensor found = contents.tensors().get(wanted.name());
      assertEquals(wanted.name(), found.name());
      assertArrayEquals(wanted.shape(), found.shape());
      assertArrayEquals(wanted.values(), found.values());
    }
  }

  @Test
  void sameContentsGiveTheSameBytes() throws IOException {
    Safetensors.write(file, sampleMetadata(), sample());
    Contents contents = Safetensors.read(file);
    Path again = folder.resolve("again");
    Safetensors.write(again, contents.metadata(), List.copyOf(contents.tensors().values()));
    assertArrayEquals(Files.readAllBytes(file), Files.readAllBytes(again));
    assertEquals(0, ByteBuffer.wrap(Files.readAllBytes(file)).get(0) % 8);
  }

  @Test
  void everyBitOfSpecialValuesIsKept() {
    int[] bits = {
      0x80000000, // -0
      0x7f800000, // infinity
      0xff800000, // -infinity
      0x7fc00000, // NaN
      0x7f800001, // signalling NaN
      0xffc12345, // negative NaN with a payload
      0x00000001, // smallest subnormal
      0x7f7fffff // largest finite
    };
    ByteBuffer raw = ByteBuffer.allocate(4 * bits.length);
    raw.asIntBuffer().put(bits);
    float[] values = new float[bits.length];
    raw.asFloatBuffer().get(values);
    Safetensors.write(file, Map.of(), List.of(tensor("x", new int[] {bits.length}, values)));
    float[] found = Safetensors.read(file).tensors().get("x").values();
    int[] foundBits = new int[bits.length];
    Arrays.setAll(foundBits, i -> Float.floatToRawIntBits(found[i]));
    assertArrayEquals(bits, foundBits);
  }

  @Test
  void scalarsAndEmptyTensorsAreTensors() {
    Safetensors.write(
        file,
        Map.of(),
        List.of(
            tensor("empty", new int[] {0, 7}),
            tensor("scalar", new int[0], 42),
            tensor("none", new int[] {3, 0})));
    Contents contents = Safetensors.read(file);
    assertEquals(3, contents.tensors().size());
    assertArrayEquals(new int[] {0, 7}, contents.tensors().get("empty").shape());
    assertArrayEquals(new int[] {3, 0}, contents.tensors().get("none").shape());
    assertArrayEquals(new float[] {42}, contents.tensors().get("scalar").values());
    assertEquals(0, contents.tensors().get("scalar").shape().length);
  }

  @Test
  void noTensorsAtAllIsAFile() {
    Safetensors.write(file, Map.of(), List.of());
    assertTrue(Safetensors.read(file).tensors().isEmpty());
  }

  @Test
  void tensorsLongerThanAChunkComeBack() {
    float[] values = new float[3 * Safetensors.CHUNK_BYTES / 4 + 31];
    for (int i = 0; i < values.length; i++) {
      values[i] = i;
    }
    Safetensors.write(
        file,
        Map.of(),
        List.of(tensor("a", new int[] {1}, 7), tensor("b", new int[] {values.length}, values)));
    assertArrayEquals(values, Safetensors.read(file).tensors().get("b").values());
  }

  @Test
  void oddNamesComeBack() {
    List<String> names = List.of("", "\"\\/\n\u0001", "größe", "\ud83d\ude00", "a".repeat(60_000));
    Map<String, String> metadata = new LinkedHashMap<>();
    List<Tensor> tensors = new ArrayList<>();
    for (String name : names) {
      metadata.put(name, name);
      tensors.add(tensor(name, new int[] {1}, 1));
    }
    Safetensors.write(file, metadata, tensors);
    Contents contents = Safetensors.read(file);
    assertEquals(metadata, contents.metadata());
    assertEquals(names, List.copyOf(contents.tensors().keySet()));
  }

  @Test
  void tenThousandTensorsTakeLinearTime() {
    // To compare each name with each would take a hundred times as long for ten times as many.
    // Other processes do not count: the times are this thread's on a processor.
    long few = Long.MAX_VALUE;
    long many = Long.MAX_VALUE;
    for (int repeat = 0; repeat < 3; repeat++) {
      few = Math.min(few, cpuNanos(1000));
      many = Math.min(many, cpuNanos(10_000));
    }
    assertTrue(many < 30 * few, "%d ns for 1,000, %d ns for 10,000".formatted(few, many));
  }

  /** The CPU time of writing and reading {@code count} tensors. */
  private long cpuNanos(int count) {
    List<Tensor> tensors = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      tensors.add(tensor("t" + i, new int[0], i));
    }
    ThreadMXBean threads = ManagementFactory.getThreadMXBean();
    long start = threads.getCurrentThreadCpuTime();
    Safetensors.write(file, Map.of(), tensors);
    Contents contents = Safetensors.read(file);
    long nanos = threads.getCurrentThreadCpuTime() - start;
    assertEquals(count - 1, contents.tensors().get("t" + (count - 1)).values()[0]);
    return nanos;
  }

  @Test
  void wrongArgumentsAreRefusedBeforeWriting() throws IOException {
    Tensor a = tensor("a", new int[] {1}, 1);
    assertIllegal("named a", Map.of(), List.of(a, tensor("a", new int[0], 1)));
    assertIllegal("__metadata__", Map.of(), List.of(tensor("__metadata__", new int[0], 1)));
    assertIllegal("surrogate", Map.of(), List.of(tensor("\ud800", new int[0], 1)));
    assertIllegal("surrogate", Map.of("k", "\udc00"), List.of(a));
    assertThrows(IllegalArgumentException.class, () -> tensor("x", new int[] {2, 2}, 1, 2, 3));
    assertThrows(IllegalArgumentException.class, () -> tensor("x", new int[] {-1, -1}, 1));
    assertThrows(IllegalArgumentException.class, () -> tensor("x", new int[] {0}, 1));
    assertEquals(List.of(), filesInFolder());
  }

  private void assertIllegal(String keyWord, Map<String, String> metadata, List<Tensor> tensors) {
    String message =
        assertThrows(
                IllegalArgumentException.class, () -> Safetensors.write(file, metadata, tensors))
            .getMessage();
    assertTrue(message.contains(keyWord), message);
  }

  private List<Path> filesInFolder() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.sorted().toList();
    }
  }

  @Test
  void writingReplacesAFormerFileAndLeavesNothingElse() throws IOException {
    Files.writeString(file, "former");
    Safetensors.write(file, sampleMetadata(), sample());
    assertEquals(2, Safetensors.read(file).tensors().size());
    assertEquals(List.of(file), filesInFolder());
  }

  @Test
  void failingMoveLeavesTheTargetAndNoTemporaryFile() throws IOException {
    Files.createDirectory(file);
    Files.writeString(file.resolve("inside"), "kept");
    UncheckedIOException e =
        assertThrows(UncheckedIOException.class, () -> Safetensors.write(file, Map.of(), sample()));
    assertTrue(e.getMessage().startsWith(file + ": cannot be written"), e.getMessage());
    assertEquals(List.of(file), filesInFolder());
    assertEquals("kept", Files.readString(file.resolve("inside")));
  }

  @Test
  void failingTemporaryFileLeavesTheTarget() throws IOException {
    // File systems take names of 255 bytes: this one fits, the temporary file's does not.
    Path longNamed = folder.resolve("m".repeat(240));
    Files.writeString(longNamed, "former");
    assertThrows(
        UncheckedIOException.class, () -> Safetensors.write(longNamed, Map.of(), sample()));
    assertEquals("former", Files.readString(longNamed));
    assertEquals(List.of(longNamed), filesInFolder());
  }

  @Test
  void missingFolderIsOneClearMessage() {
    Path lost = folder.resolve("none").resolve("model.safetensors");
    UncheckedIOException e =
        assertThrows(UncheckedIOException.class, () -> Safetensors.write(lost, Map.of(), sample()));
    assertEquals(lost + ": cannot be written: its folder does not exist", e.getMessage());
  }

  @Test
  void textsAreVectorsOfBytes() throws IOException {
    String ascii = "\u0000\"x\u007f".repeat(Safetensors.CHUNK_BYTES / 3);
    String wide = "größe \ud83d\ude00".repeat(Safetensors.CHUNK_BYTES / 7);
    Map<String, String> texts = Map.of("empty", "", "ascii", ascii, "wide", wide);
    Safetensors.writeChecked(file, Map.of(), sample(), texts);
    Contents contents = Safetensors.read(file);
    assertEquals(texts, contents.texts());
    assertEquals(contents.metadata().get("crc32c"), contents.checksum());
    assertArrayEquals(sample().get(1).values(), contents.tensors().get("layers.0.bias").values());
  }

  @Test
  void whatCouldNotBeReadIsNotWritten() {
    List<Tensor> longNames = new ArrayList<>();
    for (int i = 0; i < 600; i++) {
      longNames.add(tensor("n".repeat(2000) + i, new int[0], i));
    }
    String message =
        assertThrows(UncheckedIOException.class, () -> Safetensors.write(file, Map.of(), longNames))
            .getMessage();
    assertTrue(message.startsWith(file + ": cannot be written: header would have 12"), message);
    Map<String, String> text = Map.of("x", "ä".repeat(Safetensors.MAX_TEXT_BYTES / 2 + 1));
    message =
        assertThrows(
                UncheckedIOException.class,
                () -> Safetensors.writeChecked(file, Map.of(), List.of(), text))
            .getMessage();
    assertEquals(
        file
            + ": cannot be written: text x would have 67108866 bytes, at most 67108864 can be read",
        message);
    assertTrue(Files.notExists(file));
  }
}
