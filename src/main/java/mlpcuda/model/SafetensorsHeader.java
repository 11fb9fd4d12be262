package mlpcuda.model;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.exc.StreamConstraintsException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import mlpcuda.error.BadFileException;

/**
 * Parses the header of a safetensors file as a stream of JSON tokens, nested no deeper than the
 * format allows. The memory that the header takes is bounded by the limits of {@link Safetensors}
 * on the header's length, strings, metadata, tensors and dimensions.
 */
final class SafetensorsHeader {
  // Jackson's table of names is off: each name occurs once, and a file could be made to attack the
  // table with hash collisions.
  private static final JsonFactory JSON =
      JsonFactory.builder()
          .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .streamReadConstraints(
              StreamReadConstraints.builder()
                  .maxNameLength(Safetensors.MAX_STRING)
                  .maxStringLength(Safetensors.MAX_STRING)
                  .maxNumberLength(Safetensors.MAX_STRING)
                  .build())
          .build();

  /**
   * A tensor's entry in the header; {@code begin} and {@code end} are offsets in the buffer of
   * values, in bytes.
   */
  record Entry(String name, String dtype, int[] shape, long begin, long end) {}

  private final Path file;
  private final long bufferBytes;
  private final Map<String, String> metadata = new LinkedHashMap<>();
  private final List<Entry> entries = new ArrayList<>();
  private JsonParser parser;

  /**
   * Creates a parser for the header of {@code file}, whose buffer of values has {@code bufferBytes}
   * bytes.
   */
  SafetensorsHeader(Path file, long bufferBytes) {
    this.file = file;
    this.bufferBytes = bufferBytes;
  }

  /** Returns the metadata's texts by name, in the header's order. */
  Map<String, String> metadata() {
    return metadata;
  }

  /**
   * Returns the tensors in the header's order; each lies within the buffer and has the size that
   * its type and shape need.
   */
  List<Entry> entries() {
    return entries;
  }

  /** Parses the header's bytes. */
  void parse(byte[] header) throws IOException {
    // Unlike Jackson's own decoder, the JDK's decoder refuses every byte sequence that is not
    // UTF-8.
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
          if (entries.size() == Safetensors.MAX_TENSORS) {
            throw bad("file must hold at most %d tensors, found more", Safetensors.MAX_TENSORS);
          }
          entries.add(parseEntry(name));
        }
      }
      if (parser.nextToken() != null) {
        throw bad("header must end after its object, found %s", found());
      }
    } catch (StreamConstraintsException e) {
      throw bad(
          "names, texts and numbers of the header must have at most %d characters, found more",
          Safetensors.MAX_STRING);
    } catch (JsonProcessingException e) {
      JsonLocation place = e.getLocation();
      throw bad(
          "header must be JSON without duplicate names, found "
              + (place == null ? "" : "at character " + place.getCharOffset() + ": ")
              + Excerpt.ofName(e.getOriginalMessage()),
          e);
    } catch (CharacterCodingException e) {
      throw bad("header must be UTF-8, found other bytes", e);
    }
  }

  private void parseMetadata() throws IOException {
    expect(JsonToken.START_OBJECT, "__metadata__ must be an object");
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      if (metadata.size() == Safetensors.MAX_METADATA) {
        throw bad(
            "__metadata__ must have at most %d entries, found more", Safetensors.MAX_METADATA);
      }
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
    String tensor = "tensor " + Excerpt.ofName(name);
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
                tensor, Excerpt.ofName(field));
      }
    }
    if (dtype == null || shape == null || offsets == null) {
      throw bad(
          "%s must have dtype, shape and data_offsets, found no %s",
          tensor, dtype == null ? "dtype" : shape == null ? "shape" : "data_offsets");
    }
    long begin = offsets[0];
    long end = offsets[1];
    if (begin > end) {
      throw bad("data_offsets of %s must rise, found [%d, %d]", tensor, begin, end);
    }
    if (end > bufferBytes) {
      throw bad(
          "the file is cut off, copy it again: %s ends at byte %d after the header, and there are"
              + " %d",
          tensor, end, bufferBytes);
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
    int[] shape = new int[Safetensors.MAX_DIMENSIONS];
    int count = 0;
    while (parser.nextToken() != JsonToken.END_ARRAY) {
      int dimension = (int) integer("shape", tensor, Integer.MAX_VALUE);
      if (count == shape.length) {
        throw bad("shape of %s must have at most %d dimensions, found more", tensor, count);
      }
      shape[count++] = dimension;
    }
    return Arrays.copyOf(shape, count);
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
        // a number beyond 64 bits is refused below
      }
    }
    throw bad("%s of %s must be integers from 0 to %d, found %s", field, tensor, max, found());
  }

  private long sizeInBytes(String tensor, String dtype, int[] shape) {
    int bits = bitsOf(dtype);
    if (bits == 0) {
      throw bad("dtype of %s must be one of the format's, found %s", tensor, Excerpt.ofName(dtype));
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

  /** Returns the number of bits of one value; 0 for a type that the format does not have. */
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

  private void expect(JsonToken token, String rule) throws IOException {
    if (parser.currentToken() != token) {
      throw bad("%s, found %s", rule, found());
    }
  }

  private void checkUnicode(String text) {
    if (!Safetensors.isUnicode(text)) {
      throw bad(
          "header must be Unicode text, found half a surrogate pair in %s", Excerpt.ofName(text));
    }
  }

  private String found() throws IOException {
    return Excerpt.ofName(parser.getText());
  }

  private BadFileException bad(String rule, Object... findings) {
    return new BadFileException(file + ": " + rule.formatted(findings));
  }

  private BadFileException bad(String message, Exception cause) {
    return new BadFileException(file + ": " + message, cause);
  }
}
