package mlpcuda.model;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import mlpcuda.data.BadFileException;
import mlpcuda.data.WholeFile;

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
  static final int MAX_HEADER_BYTES = 100_000_000;
  static final int CHUNK_BYTES = 1 << 16;

  private Safetensors() {}

  /**
   * A named float32 array. The arrays are not copied, and equality is that of the arrays' identity.
   *
   * @param name name in the file, {@code layers.0.weight} for example
   * @param shape dimensions, none for a scalar; a dimension 0 makes the tensor empty
   * @param values row-major, as many as the product of the shape
   * @throws IllegalArgumentException if shape and values disagree
   */
  public record Tensor(String name, int[] shape, float[] values) {
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
   * What a file holds.
   *
   * @param metadata texts by name, in the header's order; empty if there are none
   * @param tensors by name, in the order of their values in the file
   */
  public record Contents(Map<String, String> metadata, Map<String, Tensor> tensors) {}

  /**
   * Reads a whole file. Needs memory for the values and about fifteen times the header, which a
   * header of short metadata reaches.
   *
   * @throws BadFileException if the file cannot be read, breaks a rule of the format, or holds
   *     something else than float32; the message is one line with file, rule and finding
   */
  public static Contents read(Path file) {
    return new SafetensorsReader(file).read();
  }

  /**
   * Writes a file of float32 tensors; the same arguments give the same bytes. The file appears
   * whole or not at all: it is written beside its place, forced to disk and then moved there, over
   * a file of that name.
   *
   * @param metadata texts by name, written in the map's order
   * @param tensors written in the given order
   * @throws IllegalArgumentException if a name is taken twice, reserved or not Unicode, or if the
   *     header would exceed the format's limit; nothing is written then
   * @throws UncheckedIOException if writing fails; a former file is still there then, and nothing
   *     else is left behind
   */
  public static void write(Path file, Map<String, String> metadata, List<Tensor> tensors) {
    checkNames(metadata, tensors);
    byte[] header = header(metadata, tensors);
    WholeFile.write(file, out -> writeTo(out, header, tensors));
  }

  private static void checkNames(Map<String, String> metadata, List<Tensor> tensors) {
    metadata.forEach(
        (name, text) -> {
          checkUnicode(name);
          checkUnicode(text);
        });
    Set<String> names = new HashSet<>();
    for (Tensor tensor : tensors) {
      checkUnicode(tensor.name());
      if (tensor.name().equals(METADATA)) {
        throw new IllegalArgumentException("a tensor must not be named " + METADATA);
      }
      if (!names.add(tensor.name())) {
        throw new IllegalArgumentException("two tensors must not be named " + tensor.name());
      }
    }
  }

  private static void checkUnicode(String text) {
    if (!isUnicode(text)) {
      throw new IllegalArgumentException("half a surrogate pair is no text, found in " + text);
    }
  }

  /** The header's bytes, padded so that the values begin at a multiple of 8. */
  private static byte[] header(Map<String, String> metadata, List<Tensor> tensors) {
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
      for (Tensor tensor : tensors) {
        long end = begin + (long) Float.BYTES * tensor.values().length;
        json.writeObjectFieldStart(tensor.name());
        json.writeStringField("dtype", "F32");
        json.writeFieldName("shape");
        json.writeArray(tensor.shape(), 0, tensor.shape().length);
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
    if (bytes.size() > MAX_HEADER_BYTES) {
      throw new IllegalArgumentException(
          "header must be at most %d bytes, found %d".formatted(MAX_HEADER_BYTES, bytes.size()));
    }
    return bytes.toByteArray();
  }

  private static void writeTo(OutputStream out, byte[] header, List<Tensor> tensors)
      throws IOException {
    ByteBuffer chunk = ByteBuffer.allocate(CHUNK_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    out.write(chunk.putLong(0, header.length).array(), 0, LENGTH_BYTES);
    out.write(header);
    for (Tensor tensor : tensors) {
      float[] values = tensor.values();
      for (int done = 0, count; done < values.length; done += count) {
        count = Math.min(values.length - done, CHUNK_BYTES / Float.BYTES);
        for (int i = 0; i < count; i++) {
          chunk.putFloat(Float.BYTES * i, values[done + i]);
        }
        out.write(chunk.array(), 0, count * Float.BYTES);
      }
    }
  }

  /** Product of the dimensions, 1 for none; ArithmeticException beyond 64 bits. */
  static long elements(int[] shape) {
    long elements = 1;
    for (int dimension : shape) {
      elements = Math.multiplyExact(elements, dimension);
    }
    return elements;
  }

  /** False if the text holds half a surrogate pair, which UTF-8 cannot express. */
  static boolean isUnicode(String text) {
    return StandardCharsets.UTF_8.newEncoder().canEncode(text);
  }
}
