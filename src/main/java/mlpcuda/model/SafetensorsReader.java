package mlpcuda.model;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import java.io.BufferedInputStream;
import java.io.ByteArrayInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import mlpcuda.data.BadFileException;

/**
 * Reads one safetensors file and trusts nothing in it: the header is read as a stream of tokens
 * that descends no deeper than the format does, and values are allocated only once the tensors are
 * known to cover the file's own bytes, each byte once.
 */
final class SafetensorsReader {
  // Hotspot refuses arrays of the last few lengths below 2^31.
  private static final int MAX_ELEMENTS = Integer.MAX_VALUE - 8;
  private static final int MAX_SHOWN = 80;
  private static final Pattern BREAKS_A_LINE = Pattern.compile("[\\p{Cc}\\p{Zl}\\p{Zp}]");

  // Names are met once: a table of them would cost memory, and could be attacked with collisions.
  // The header's own limit bounds names, texts and numbers.
  private static final JsonFactory JSON =
      JsonFactory.builder()
          .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .streamReadConstraints(
              StreamReadConstraints.builder()
                  .maxNameLength(Safetensors.MAX_HEADER_BYTES)
                  .maxStringLength(Safetensors.MAX_HEADER_BYTES)
                  .maxNumberLength(Safetensors.MAX_HEADER_BYTES)
                  .build())
          .build();

  private record Entry(String name, String dtype, int[] shape, long begin, long end) {}

  private final Path file;
  private final Map<String, String> metadata = new LinkedHashMap<>();
  private final List<Entry> entries = new ArrayList<>();
  private JsonParser parser;
  private long bufferBytes;

  SafetensorsReader(Path file) {
    this.file = file;
  }

  Safetensors.Contents read() {
    if (!Files.exists(file)) {
      throw bad("file must exist, found none");
    }
    if (!Files.isRegularFile(file)) { // a pipe would block
      throw bad("must be a regular file, found a folder or a device");
    }
    try (FileChannel channel = FileChannel.open(file);
        InputStream in =
            new BufferedInputStream(Channels.newInputStream(channel), Safetensors.CHUNK_BYTES)) {
      long fileBytes = channel.size();
      byte[] header = readHeader(in, fileBytes);
      bufferBytes = fileBytes - Safetensors.LENGTH_BYTES - header.length;
      parseHeader(header);
      checkLayout();
      checkReadable();
      return readTensors(in);
    } catch (IOException e) {
      throw bad("file must be readable, found " + shown(e.toString()), e);
    }
  }

  private byte[] readHeader(InputStream in, long fileBytes) throws IOException {
    if (fileBytes < Safetensors.LENGTH_BYTES) {
      throw bad("file must begin with 8 bytes of header length, found %d bytes", fileBytes);
    }
    byte[] length = new byte[Safetensors.LENGTH_BYTES];
    readFully(in, length, length.length);
    long headerBytes = ByteBuffer.wrap(length).order(ByteOrder.LITTLE_ENDIAN).getLong();
    if (headerBytes < 2 || headerBytes > Safetensors.MAX_HEADER_BYTES) {
      throw bad(
          "header length must be from 2 to %d bytes, found %s",
          Safetensors.MAX_HEADER_BYTES, Long.toUnsignedString(headerBytes));
    }
    if (headerBytes > fileBytes - Safetensors.LENGTH_BYTES) {
      throw bad(
          "header length must be at most the file's %d bytes minus 8, found %d",
          fileBytes, headerBytes);
    }
    byte[] header = new byte[(int) headerBytes];
    readFully(in, header, header.length);
    if (header[0] != '{') {
      throw bad("header must begin with byte 0x7b, found 0x%02x", header[0]);
    }
    return header;
  }

  private void parseHeader(byte[] header) throws IOException {
    // Unlike Jackson's own decoder, a charset's decoder refuses all that is not UTF-8.
    try (Reader text =
            new InputStreamReader(
                new ByteArrayInputStream(header), StandardCharsets.UTF_8.newDecoder());
        JsonParser open = JSON.createParser(text)) {
      parser = open;
      parser.nextToken();
      while (parser.nextToken() == JsonToken.FIELD_NAME) {
        String name = parser.currentName();
        checkUnicode(name);
        parser.nextToken();
        if (name.equals(Safetensors.METADATA)) {
          parseMetadata();
        } else {
          entries.add(parseEntry(name));
        }
      }
      if (parser.nextToken() != null) {
        throw bad("header must end after its object, found %s", found());
      }
    } catch (JsonProcessingException e) {
      JsonLocation place = e.getLocation();
      throw bad(
          "header must be JSON without duplicate names, found "
              + (place == null ? "" : "at character " + place.getCharOffset() + ": ")
              + shown(e.getOriginalMessage()),
          e);
    } catch (CharacterCodingException e) {
      throw bad("header must be UTF-8, found other bytes", e);
    }
  }

  private void parseMetadata() throws IOException {
    expect(JsonToken.START_OBJECT, "__metadata__ must be an object");
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      String name = parser.currentName();
      parser.nextToken();
      expect(JsonToken.VALUE_STRING, "__metadata__ must hold strings only");
      String text = parser.getText();
      checkUnicode(name);
      checkUnicode(text);
      metadata.put(name, text);
    }
  }

  private Entry parseEntry(String name) throws IOException {
    String tensor = "tensor " + shown(name);
    String dtype = null;
    int[] shape = null;
    long[] offsets = null;
    expect(JsonToken.START_OBJECT, tensor + " must be an object");
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      String field = parser.currentName();
      parser.nextToken();
      switch (field) {
        case "dtype" -> {
          expect(JsonToken.VALUE_STRING, "dtype of " + tensor + " must be a string");
          dtype = parser.getText();
        }
        case "shape" -> shape = parseShape(tensor);
        case "data_offsets" -> offsets = parseOffsets(tensor);
        default ->
            throw bad(
                "%s must have the fields dtype, shape and data_offsets only, found %s",
                tensor, shown(field));
      }
    }
    if (dtype == null || shape == null || offsets == null) {
      throw bad(
          "%s must have dtype, shape and data_offsets, found no %s",
          tensor, dtype == null ? "dtype" : shape == null ? "shape" : "data_offsets");
    }
    long begin = offsets[0];
    long end = offsets[1];
    if (begin > end || end > bufferBytes) {
      throw bad(
          "data_offsets of %s must rise and end within the buffer's %d bytes, found [%d, %d]",
          tensor, bufferBytes, begin, end);
    }
    long size = sizeInBytes(tensor, dtype, shape);
    if (end - begin != size) {
      throw bad(
          "data_offsets of %s must span the %d bytes of its dtype and shape, found [%d, %d]",
          tensor, size, begin, end);
    }
    return new Entry(name, dtype, shape, begin, end);
  }

  private int[] parseShape(String tensor) throws IOException {
    expect(JsonToken.START_ARRAY, "shape of " + tensor + " must be an array");
    IntStream.Builder shape = IntStream.builder();
    while (parser.nextToken() != JsonToken.END_ARRAY) {
      shape.add((int) integer("shape", tensor, Integer.MAX_VALUE));
    }
    return shape.build().toArray();
  }

  private long[] parseOffsets(String tensor) throws IOException {
    expect(JsonToken.START_ARRAY, "data_offsets of " + tensor + " must be an array");
    long[] offsets = new long[2];
    for (int i = 0; i < 2; i++) {
      parser.nextToken();
      offsets[i] = integer("data_offsets", tensor, Long.MAX_VALUE);
    }
    parser.nextToken();
    expect(JsonToken.END_ARRAY, "data_offsets of " + tensor + " must be two integers");
    return offsets;
  }

  private long integer(String field, String tensor, long max) throws IOException {
    if (parser.currentToken() == JsonToken.VALUE_NUMBER_INT) {
      String digits = parser.getText();
      try {
        long value = Long.parseLong(digits);
        if (digits.charAt(0) != '-' && value <= max) {
          return value;
        }
      } catch (NumberFormatException e) {
        // beyond 64 bits, so beyond max: refused below
      }
    }
    throw bad("%s of %s must be integers from 0 to %d, found %s", field, tensor, max, found());
  }

  private long sizeInBytes(String tensor, String dtype, int[] shape) {
    int bits = bitsOf(dtype);
    if (bits == 0) {
      throw bad("dtype of %s must be one of the format's, found %s", tensor, shown(dtype));
    }
    try {
      long sizeInBits = Math.multiplyExact(Safetensors.elements(shape), bits);
      if (sizeInBits % 8 != 0) {
        throw bad("%s must fill whole bytes, found %d bits", tensor, sizeInBits);
      }
      return sizeInBits / 8;
    } catch (ArithmeticException e) {
      throw bad("%s must have a size below 2^63 bits, found an overflow", tensor);
    }
  }

  /** Bits of one value, 0 for a dtype that the format does not know. */
  private static int bitsOf(String dtype) {
    return switch (dtype) {
      case "F4" -> 4;
      case "F6_E2M3", "F6_E3M2" -> 6;
      case "BOOL", "U8", "I8" -> 8;
      case "F8_E5M2", "F8_E4M3", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ" -> 8;
      case "I16", "U16", "F16", "BF16" -> 16;
      case "I32", "U32", "F32" -> 32;
      case "I64", "U64", "F64", "C64" -> 64;
      default -> 0;
    };
  }

  /** Every byte of the buffer belongs to one tensor; empty tensors lie between two others. */
  private void checkLayout() {
    entries.sort(Comparator.comparingLong(Entry::begin).thenComparingLong(Entry::end));
    long covered = 0;
    for (Entry entry : entries) {
      if (entry.begin() != covered) {
        throw bad(
            "tensor %s must begin at byte %d of the buffer, found %s at %d",
            shown(entry.name()),
            covered,
            entry.begin() < covered ? "an overlap" : "a hole",
            entry.begin());
      }
      covered = entry.end();
    }
    if (covered != bufferBytes) {
      throw bad("tensors must cover the buffer's %d bytes, found %d", bufferBytes, covered);
    }
  }

  /** What the format allows and this reader does not. */
  private void checkReadable() {
    for (Entry entry : entries) {
      if (!entry.dtype().equals("F32")) {
        throw bad("tensor %s is %s, only F32 can be read", shown(entry.name()), entry.dtype());
      }
      long elements = Safetensors.elements(entry.shape());
      if (elements > MAX_ELEMENTS) {
        throw bad(
            "tensor %s must have at most %d elements to be read, found %d",
            shown(entry.name()), MAX_ELEMENTS, elements);
      }
    }
  }

  /** Reads the values in one pass: the tensors are sorted by their place and leave no holes. */
  private Safetensors.Contents readTensors(InputStream in) throws IOException {
    Map<String, Safetensors.Tensor> tensors = new LinkedHashMap<>();
    ByteBuffer chunk = ByteBuffer.allocate(Safetensors.CHUNK_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    for (Entry entry : entries) {
      float[] values = new float[(int) Safetensors.elements(entry.shape())];
      for (int done = 0, count; done < values.length; done += count) {
        count = Math.min(values.length - done, Safetensors.CHUNK_BYTES / Float.BYTES);
        readFully(in, chunk.array(), count * Float.BYTES);
        for (int i = 0; i < count; i++) {
          values[done + i] = chunk.getFloat(Float.BYTES * i);
        }
      }
      tensors.put(entry.name(), new Safetensors.Tensor(entry.name(), entry.shape(), values));
    }
    return new Safetensors.Contents(
        Collections.unmodifiableMap(metadata), Collections.unmodifiableMap(tensors));
  }

  private static void readFully(InputStream in, byte[] bytes, int count) throws IOException {
    if (in.readNBytes(bytes, 0, count) < count) {
      throw new EOFException("the file shrank while it was read");
    }
  }

  private void expect(JsonToken token, String rule) throws IOException {
    if (parser.currentToken() != token) {
      throw bad("%s, found %s", rule, found());
    }
  }

  private void checkUnicode(String text) {
    if (!Safetensors.isUnicode(text)) {
      throw bad("header must be Unicode text, found half a surrogate pair in %s", shown(text));
    }
  }

  private String found() throws IOException {
    return shown(parser.getText());
  }

  /** Text of the file, fit for a one-line message. */
  private static String shown(String text) {
    String start = text.length() <= MAX_SHOWN ? text : text.substring(0, MAX_SHOWN) + "…";
    return BREAKS_A_LINE.matcher(start).replaceAll("?");
  }

  private BadFileException bad(String rule, Object... findings) {
    return new BadFileException(file + ": " + rule.formatted(findings));
  }

  private BadFileException bad(String message, Exception cause) {
    return new BadFileException(file + ": " + message, cause);
  }
}
