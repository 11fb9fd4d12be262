package mlpcuda.model;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import mlpcuda.error.BadFileException;
import mlpcuda.files.WholeFile;

/**
 * Model files in the safetensors format: a little-endian 64-bit header length, a JSON header that
 * gives each tensor's type, shape and place, and one byte buffer with the values, little-endian and
 * row-major.
 *
 * <p>Source: the README of github.com/huggingface/safetensors and its reference implementation,
 * safetensors/src/tensor.rs, at commit 24b0b28.
 */
public final class Safetensors {
  static final String METADATA = "__metadata__";
  static final int LENGTH_BYTES = 8;
  static final int CHUNK_BYTES = 1 << 16;

  // The format allows headers of 100 MB, which take fifteen times as much memory once they are
  // objects. A network's header has about 100 bytes for a tensor, and the limits below bound the
  // memory that any header can take.
  static final int MAX_HEADER_BYTES = 1 << 20;
  static final int MAX_STRING = 1 << 16;
  static final int MAX_METADATA = 1000;
  static final int MAX_TENSORS = 10_000;
  static final int MAX_DIMENSIONS = 8;

  /** The greatest size of a text in a file, in bytes. */
  static final int MAX_TEXT_BYTES = 1 << 26;

  private Safetensors() {}

  /**
   * A named float32 array. The arrays are not copied, and two tensors are equal only if their
   * arrays are the same objects.
   *
   * @param name name in the file, {@code layers.0.weight} for example
   * @param shape dimensions, none for a scalar; a dimension 0 makes the tensor empty
   * @param values the elements in row-major order; their number is the product of the dimensions
   */
  public record Tensor(String name, int[] shape, float[] values) {
    /**
     * Checks that the number of values is the product of the dimensions.
     *
     * @throws IllegalArgumentException if shape and values disagree
     */
    public Tensor {
      for (int dimension : shape) {
        if (dimension < 0) {
          throw new IllegalArgumentException(
              "dimensions of tensor " + name + " must not be negative, found " + dimension);
        }
      }
      if (elements(shape) != values.length) {
        throw new IllegalArgumentException(
            "values of tensor %s must be the shape's %d, found %d"
                .formatted(name, elements(shape), values.length));
      }
    }
  }

  /**
   * The contents of a file.
   *
   * @param metadata the metadata's texts by name, in the header's order; empty if there are none
   * @param tensors the tensors by name, in the order of their values in the file
   * @param texts the texts by name, in the order of their bytes in the file; in the file a text is
   *     a vector of type U8 (ASCII) or of type U16 (UTF-16), not UTF-8, from which decoding could
   *     take five times the memory
   * @param checksum the CRC-32C of the contents, as {@link #writeChecked} computes it
   */
  public record Contents(
      Map<String, String> metadata,
      Map<String, Tensor> tensors,
      Map<String, String> texts,
      String checksum) {}

  /**
   * Reads a whole file. The memory needed is at most four times the file's size plus 4 MiB: float32
   * tensors take their own size, texts up to twice theirs, and the header less than four times its
   * size plus 4 MiB.
   *
   * @throws BadFileException if the file cannot be read, breaks a rule of the format, or holds
   *     anything but float32 tensors and texts; the message is one line with file, rule and finding
   */
  public static Contents read(Path file) {
    return new SafetensorsReader(file).read();
  }

  /**
   * Writes a file of float32 tensors; the same arguments give the same bytes. The file appears
   * whole or not at all: it is written beside its place, forced to disk and then moved there, over
   * a file of that name.
   *
   * @param metadata the metadata's texts by name, written in the map's order
   * @param tensors the tensors, written in the given order
   * @throws IllegalArgumentException if a name is taken twice, reserved or not Unicode; nothing is
   *     written then
   * @throws UncheckedIOException if writing fails, or if the file would exceed the limits of {@link
   *     #read}; a former file is then still there, and no temporary file is left behind
   */
  public static void write(Path file, Map<String, String> metadata, List<Tensor> tensors) {
    writeParts(file, metadata, parts(file, tensors, Map.of()));
  }

  /**
   * Writes a file as {@link #write} does, with texts after the tensors, and adds the checksum of
   * the contents to the metadata as {@code crc32c}.
   */
  static void writeChecked(
      Path file, Map<String, String> metadata, List<Tensor> tensors, Map<String, String> texts) {
    List<Part> parts = parts(file, tensors, texts);
    var checksum = new Checksum();
    checksum.metadata(metadata);
    for (Part part : parts) {
      checksum.tensor(part.name, part.dtype, part.shape);
      try {
        part.content.forEachChunk(checksum::values);
      } catch (IOException e) {
        throw new AssertionError("a checksum takes every byte", e);
      }
    }
    var checked = new LinkedHashMap<>(metadata);
    checked.put(Checksum.NAME, checksum.hex());
    writeParts(file, checked, parts);
  }

  private static void writeParts(Path file, Map<String, String> metadata, List<Part> parts) {
    checkNames(metadata, parts);
    byte[] header = header(metadata, parts);
    if (header.length > MAX_HEADER_BYTES || parts.size() > MAX_TENSORS) {
      throw tooLarge(
          file,
          "header would have %d bytes for %d tensors, at most %d and %d can be read"
              .formatted(header.length, parts.size(), MAX_HEADER_BYTES, MAX_TENSORS));
    }
    WholeFile.write(
        file,
        out -> {
          byte[] length = new byte[LENGTH_BYTES];
          ByteBuffer.wrap(length).order(ByteOrder.LITTLE_ENDIAN).putLong(header.length);
          out.write(length);
          out.write(header);
          for (Part part : parts) {
            part.content.forEachChunk(out::write);
          }
        });
  }

  /** Receives the bytes of a tensor in the order in which they are in the file. */
  private interface Sink {
    void accept(byte[] bytes, int offset, int count) throws IOException;
  }

  /** Gives the bytes of a tensor, piece by piece. */
  private interface Content {
    void forEachChunk(Sink sink) throws IOException;
  }

  /**
   * A tensor as the file holds it.
   *
   * @param size the size of the content in bytes
   */
  private record Part(String name, String dtype, int[] shape, long size, Content content) {
    static Part of(Tensor tensor) {
      float[] values = tensor.values;
      return new Part(
          tensor.name,
          "F32",
          tensor.shape,
          (long) Float.BYTES * values.length,
          sink -> forEachChunk(values, sink));
    }

    static Part of(String name, String dtype, int length, byte[] text) {
      return new Part(
          name, dtype, new int[] {length}, text.length, sink -> sink.accept(text, 0, text.length));
    }

    private static void forEachChunk(float[] values, Sink sink) throws IOException {
      ByteBuffer chunk = ByteBuffer.allocate(CHUNK_BYTES).order(ByteOrder.LITTLE_ENDIAN);
      for (int done = 0, count; done < values.length; done += count) {
        count = Math.min(values.length - done, CHUNK_BYTES / Float.BYTES);
        chunk.asFloatBuffer().put(values, done, count);
        sink.accept(chunk.array(), 0, count * Float.BYTES);
      }
    }
  }

  private static List<Part> parts(Path file, List<Tensor> tensors, Map<String, String> texts) {
    var parts = new ArrayList<Part>();
    for (Tensor tensor : tensors) {
      parts.add(Part.of(tensor));
    }
    texts.forEach(
        (name, text) -> {
          checkUnicode(text);
          boolean wide = text.chars().anyMatch(c -> c > 127);
          byte[] bytes =
              text.getBytes(wide ? StandardCharsets.UTF_16LE : StandardCharsets.US_ASCII);
          if (bytes.length > MAX_TEXT_BYTES) {
            throw tooLarge(
                file,
                "text %s would have %d bytes, at most %d can be read"
                    .formatted(name, bytes.length, MAX_TEXT_BYTES));
          }
          parts.add(Part.of(name, wide ? "U16" : "U8", text.length(), bytes));
        });
    return parts;
  }

  private static void checkNames(Map<String, String> metadata, List<Part> parts) {
    if (metadata.size() > MAX_METADATA) {
      throw new IllegalArgumentException(
          "metadata must have at most %d entries, found %d"
              .formatted(MAX_METADATA, metadata.size()));
    }
    metadata.forEach(
        (name, text) -> {
          checkUnicode(name);
          checkUnicode(text);
        });
    Set<String> names = new HashSet<>();
    for (Part part : parts) {
      checkUnicode(part.name);
      if (part.name.equals(METADATA)) {
        throw new IllegalArgumentException("a tensor must not be named " + METADATA);
      }
      if (!names.add(part.name)) {
        throw new IllegalArgumentException("two tensors must not be named " + part.name);
      }
      if (part.shape.length > MAX_DIMENSIONS) {
        throw new IllegalArgumentException(
            "tensor %s must have at most %d dimensions, found %d"
                .formatted(part.name, MAX_DIMENSIONS, part.shape.length));
      }
    }
  }

  /**
   * Makes the exception for contents that exceed the limits of {@link #read}. It reports a failed
   * write and not a wrong argument, because a run may grow too large.
   */
  static UncheckedIOException tooLarge(Path file, String finding) {
    String message = file + ": cannot be written: " + finding;
    return new UncheckedIOException(message, new IOException(finding));
  }

  private static void checkUnicode(String text) {
    if (!isUnicode(text)) {
      throw new IllegalArgumentException(
          "half a surrogate pair is no text, found in " + Excerpt.of(text));
    }
  }

  /** The header's bytes, padded so that the values begin at a multiple of 8. */
  private static byte[] header(Map<String, String> metadata, List<Part> parts) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (JsonGenerator json = new JsonFactory().createGenerator(bytes)) {
      json.writeStartObject();
      if (!metadata.isEmpty()) {
        json.writeObjectFieldStart(METADATA);
        for (Map.Entry<String, String> entry : metadata.entrySet()) {
          json.writeStringField(entry.getKey(), entry.getValue());
        }
        json.writeEndObject();
      }
      long begin = 0;
      for (Part part : parts) {
        long end = begin + part.size();
        json.writeObjectFieldStart(part.name);
        json.writeStringField("dtype", part.dtype);
        json.writeFieldName("shape");
        json.writeArray(part.shape, 0, part.shape.length);
        json.writeFieldName("data_offsets");
        json.writeArray(new long[] {begin, end}, 0, 2);
        json.writeEndObject();
        begin = end;
      }
      json.writeEndObject();
    } catch (IOException e) {
      throw new AssertionError("an array in memory takes every byte", e);
    }
    while (bytes.size() % 8 != 0) {
      bytes.write(' ');
    }
    return bytes.toByteArray();
  }

  /**
   * Multiplies the dimensions; the product is 1 without dimensions, and beyond 64 bits an
   * ArithmeticException is thrown.
   */
  static long elements(int[] shape) {
    long elements = 1;
    for (int dimension : shape) {
      elements = Math.multiplyExact(elements, dimension);
    }
    return elements;
  }

  /** Whether UTF-8 can express the text; it cannot if the text holds half a surrogate pair. */
  static boolean isUnicode(String text) {
    return StandardCharsets.UTF_8.newEncoder().canEncode(text);
  }
}
