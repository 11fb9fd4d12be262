package mlpcuda.model;

import java.io.BufferedInputStream;
import java.io.ByteArrayInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import mlpcuda.data.FileKind;
import mlpcuda.error.BadFileException;
import mlpcuda.files.HeapMemory;
import mlpcuda.files.InputFile;
import mlpcuda.files.Reason;
import mlpcuda.model.SafetensorsHeader.Entry;

/**
 * Reads one safetensors file and trusts nothing in it: arrays for the values are allocated only
 * after the header was checked to cover each byte of the buffer by exactly one tensor.
 */
final class SafetensorsReader {
  // HotSpot cannot allocate arrays whose length is within 8 of 2^31.
  private static final int MAX_ELEMENTS = Integer.MAX_VALUE - 8;

  private final Path file;
  private final Path shown; // the file's name in messages
  private final Checksum checksum = new Checksum();
  private final ByteBuffer chunk =
      ByteBuffer.allocate(Safetensors.CHUNK_BYTES).order(ByteOrder.LITTLE_ENDIAN);

  SafetensorsReader(Path file) {
    this.file = file;
    shown = InputFile.forMessages(file);
  }

  Safetensors.Contents read() {
    if (InputFile.isFolder(file)) {
      Path inside = file.resolve("model.safetensors");
      throw bad(
          "this is a folder, not a model file%s",
          Files.exists(inside) ? "; the model in it is " + inside : "");
    }
    if (InputFile.isStream(file)) {
      return readStream();
    }
    try (FileChannel channel = FileChannel.open(file)) {
      long fileBytes = channel.size();
      int bufferBytes = (int) Math.max(1, Math.min(fileBytes, Safetensors.CHUNK_BYTES));
      InputStream in = new BufferedInputStream(Channels.newInputStream(channel), bufferBytes);
      byte[] header = readHeader(in);
      return readTensors(in, header, fileBytes - Safetensors.LENGTH_BYTES - header.length);
    } catch (IOException e) {
      throw Reason.unreadable(file, e);
    }
  }

  /**
   * Reads a pipe, a device or standard input. The header says how long the stream must be, and no
   * more is read, so that an endless stream does not fill the memory.
   */
  private Safetensors.Contents readStream() {
    try (InputStream in = new BufferedInputStream(InputFile.open(file))) {
      byte[] header = readHeader(in);
      int claimed = claimedBytes(header);
      byte[] buffer = in.readNBytes(claimed + 1);
      if (buffer.length > claimed) {
        throw bad("the file goes on after its last tensor, byte %d after the header", claimed);
      }
      return readTensors(new ByteArrayInputStream(buffer), header, buffer.length);
    } catch (IOException e) {
      throw Reason.unreadable(InputFile.name(file), e);
    }
  }

  /** Returns the offset in the buffer at which the last tensor ends, according to the header. */
  private int claimedBytes(byte[] header) throws IOException {
    var parsed = new SafetensorsHeader(shown, Long.MAX_VALUE);
    parsed.parse(header);
    long end = parsed.entries().stream().mapToLong(Entry::end).max().orElse(0);
    if (end >= MAX_ELEMENTS) {
      throw bad(
          "the tensors take %d bytes, and at most %d can be read from a pipe; save them as a file",
          end, MAX_ELEMENTS - 1);
    }
    return (int) end;
  }

  /**
   * Reads the bytes of the header, after the first bytes were checked to be a safetensors file's.
   */
  private byte[] readHeader(InputStream in) throws IOException {
    in.mark(FileKind.START_BYTES);
    byte[] start = in.readNBytes(FileKind.START_BYTES);
    if (!FileKind.isSafetensors(start)) {
      throw notSafetensors(FileKind.of(file.toString(), start));
    }
    in.reset();
    byte[] length = new byte[Safetensors.LENGTH_BYTES];
    readFully(in, length, length.length);
    long headerBytes = ByteBuffer.wrap(length).order(ByteOrder.LITTLE_ENDIAN).getLong();
    if (headerBytes > Safetensors.MAX_HEADER_BYTES) {
      throw bad(
          "the header has %d bytes, more than the %d that can be read",
          headerBytes, Safetensors.MAX_HEADER_BYTES);
    }
    byte[] header = in.readNBytes((int) headerBytes);
    if (header.length < headerBytes) {
      throw bad(
          "the file is cut off, copy it again: the header needs %d bytes, and there are %d",
          headerBytes, header.length);
    }
    return header;
  }

  private Safetensors.Contents readTensors(InputStream in, byte[] header, long bufferBytes)
      throws IOException {
    var parsed = new SafetensorsHeader(shown, bufferBytes);
    parsed.parse(header);
    checkLayout(parsed.entries(), bufferBytes);
    checkReadable(parsed.entries());
    return readTensors(in, parsed.metadata(), parsed.entries());
  }

  private BadFileException notSafetensors(String kind) {
    String remedy = "";
    if (kind.contains("zip archive") || kind.contains("pickle")) {
      remedy =
          "; in Python, safetensors.torch.save_file(model.state_dict(), \"weights.safetensors\")"
              + " writes what import reads";
    } else if (kind.contains("ONNX")) {
      remedy = "; name the model.safetensors that it was exported from";
    }
    return bad("this is %s, not a safetensors file%s", kind, remedy);
  }

  /**
   * Checks that every byte of the buffer belongs to exactly one tensor. Sorts the entries; an empty
   * tensor comes before a tensor that begins at the same offset.
   */
  private void checkLayout(List<Entry> entries, long bufferBytes) {
    entries.sort(Comparator.comparingLong(Entry::begin).thenComparingLong(Entry::end));
    long covered = 0;
    for (Entry entry : entries) {
      if (entry.begin() != covered) {
        throw bad(
            "tensor %s must begin at byte %d of the buffer, found %s at %d",
            Excerpt.ofName(entry.name()),
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

  /** Refuses types and sizes that the format allows and this program cannot use. */
  private void checkReadable(List<Entry> entries) {
    for (Entry entry : entries) {
      if (isText(entry)) {
        checkTextLength(entry);
        continue;
      }
      if (!entry.dtype().equals("F32")) {
        throw bad(
            "tensor %s is %s, only F32 can be read", Excerpt.ofName(entry.name()), entry.dtype());
      }
      long elements = Safetensors.elements(entry.shape());
      if (elements > MAX_ELEMENTS) {
        throw bad(
            "tensor %s must have at most %d elements to be read, found %d",
            Excerpt.ofName(entry.name()), MAX_ELEMENTS, elements);
      }
    }
  }

  /**
   * Whether a tensor is a text. The format has no type for texts, and so a text is a vector of type
   * U8 or U16.
   */
  private static boolean isText(Entry entry) {
    return (entry.dtype().equals("U8") || entry.dtype().equals("U16")) && entry.shape().length == 1;
  }

  private void checkTextLength(Entry entry) {
    long bytes = entry.end() - entry.begin();
    if (bytes > Safetensors.MAX_TEXT_BYTES) {
      throw bad(
          "text %s must have at most %d bytes, found %d",
          Excerpt.ofName(entry.name()), Safetensors.MAX_TEXT_BYTES, bytes);
    }
  }

  /**
   * Reads the values in one pass over the file; the entries must be sorted by offset and cover the
   * buffer.
   */
  private Safetensors.Contents readTensors(
      InputStream in, Map<String, String> metadata, List<Entry> entries) throws IOException {
    Map<String, Safetensors.Tensor> tensors = new LinkedHashMap<>();
    Map<String, String> texts = new LinkedHashMap<>();
    checksum.metadata(metadata);
    long bytes = entries.stream().mapToLong(entry -> entry.end() - entry.begin()).sum();
    HeapMemory.require(shown + ": reading it", bytes);
    for (Entry entry : entries) {
      checksum.tensor(entry.name(), entry.dtype(), entry.shape());
      if (isText(entry)) {
        texts.put(entry.name(), readText(in, entry));
      } else {
        float[] values = readValues(in, (int) Safetensors.elements(entry.shape()));
        tensors.put(entry.name(), new Safetensors.Tensor(entry.name(), entry.shape(), values));
      }
    }
    return new Safetensors.Contents(
        Collections.unmodifiableMap(metadata),
        Collections.unmodifiableMap(tensors),
        Collections.unmodifiableMap(texts),
        checksum.hex());
  }

  private float[] readValues(InputStream in, int length) throws IOException {
    float[] values = new float[length];
    for (int done = 0, count; done < length; done += count) {
      count = Math.min(length - done, Safetensors.CHUNK_BYTES / Float.BYTES);
      readFully(in, chunk.array(), count * Float.BYTES);
      checksum.values(chunk.array(), 0, count * Float.BYTES);
      chunk.asFloatBuffer().get(values, done, count);
    }
    return values;
  }

  /**
   * Decodes a text piece by piece, so that its bytes and its characters are never both in memory as
   * a whole.
   */
  private String readText(InputStream in, Entry entry) throws IOException {
    int length = entry.shape()[0];
    boolean wide = entry.dtype().equals("U16");
    var text = new StringBuilder(length);
    char[] characters = new char[Math.min(length, Safetensors.CHUNK_BYTES / Character.BYTES)];
    for (int done = 0, count; done < length; done += count) {
      count = Math.min(length - done, characters.length);
      int bytes = wide ? Character.BYTES * count : count;
      readFully(in, chunk.array(), bytes);
      checksum.values(chunk.array(), 0, bytes);
      for (int i = 0; i < count; i++) {
        characters[i] = wide ? chunk.getChar(Character.BYTES * i) : (char) chunk.get(i);
        if (!wide && characters[i] > 127) {
          throw bad(
              "text %s of type U8 must be ASCII, found byte 0x%02x",
              Excerpt.ofName(entry.name()), chunk.get(i));
        }
      }
      text.append(characters, 0, count);
    }
    return text.toString();
  }

  private static void readFully(InputStream in, byte[] bytes, int count) throws IOException {
    if (in.readNBytes(bytes, 0, count) < count) {
      throw new EOFException("the file shrank while it was read");
    }
  }

  private BadFileException bad(String rule, Object... findings) {
    return new BadFileException(shown + ": " + rule.formatted(findings));
  }
}
