package mlpcuda.model;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.zip.CRC32C;
import mlpcuda.error.BadFileException;

/**
 * The CRC-32C of the contents of a safetensors file. It covers the name and the text of each
 * metadata entry, except the checksum itself, and then, in the order of the buffer, each tensor's
 * name, its type with its shape, such as {@code F32[4, 6]}, and its bytes. A text is covered as its
 * length, a little-endian 32-bit number, and its bytes in UTF-8. White space in the header is not
 * covered.
 */
final class Checksum {
  /** The metadata entry that holds the checksum. */
  static final String NAME = "crc32c";

  private final CRC32C crc = new CRC32C();

  void metadata(Map<String, String> metadata) {
    metadata.forEach(
        (name, text) -> {
          if (!name.equals(NAME)) {
            text(name);
            text(text);
          }
        });
  }

  void tensor(String name, String dtype, int[] shape) {
    text(name);
    text(dtype + Arrays.toString(shape));
  }

  void values(byte[] bytes, int offset, int count) {
    crc.update(bytes, offset, count);
  }

  private void text(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    byte[] length = new byte[Integer.BYTES];
    ByteBuffer.wrap(length).order(ByteOrder.LITTLE_ENDIAN).putInt(bytes.length);
    crc.update(length);
    crc.update(bytes);
  }

  /** The checksum as eight hexadecimal digits. */
  String hex() {
    return "%08x".formatted(crc.getValue());
  }

  /**
   * Compares the checksum in the metadata with the checksum of the contents that were read.
   *
   * @param required whether the file must have a checksum; files of other programs have none
   * @throws BadFileException if the two differ, or a required checksum is missing
   */
  static void check(Path file, Safetensors.Contents contents, boolean required) {
    String expected = contents.metadata().get(NAME);
    if (expected == null && required) {
      throw new BadFileException(file + ": damaged: __metadata__ lacks the checksum crc32c");
    }
    if (expected != null && !expected.equals(contents.checksum())) {
      throw new BadFileException(
          "%s: damaged: the crc32c of metadata and tensors must be %s as __metadata__ says, found %s"
              .formatted(file, Excerpt.ofName(expected), contents.checksum()));
    }
  }
}
