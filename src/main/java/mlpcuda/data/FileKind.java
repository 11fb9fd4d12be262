package mlpcuda.data;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import mlpcuda.error.BadFileException;
import mlpcuda.files.Reason;

/**
 * Recognises the kind of a file that a user named by mistake, so that a message can name it: by the
 * file's first bytes and, where the bytes say little, by the ending of its name.
 */
public final class FileKind {
  /** The first bytes that {@link #of(String, byte[])} looks at. */
  public static final int START_BYTES = 512;

  /** The signatures of kinds of files, one character for each of the first bytes. */
  private static final Map<String, String> SIGNATURES = new LinkedHashMap<>();

  /** The endings of names of kinds that have no signature. */
  private static final Map<String, String> ENDINGS = new LinkedHashMap<>();

  static {
    SIGNATURES.put("\u0089PNG", "a PNG picture");
    SIGNATURES.put("\u00ff\u00d8\u00ff", "a JPEG picture");
    SIGNATURES.put("GIF8", "a GIF picture");
    SIGNATURES.put("\u0093NUMPY", "a NumPy array");
    SIGNATURES.put("\u0089HDF", "an HDF5 file");
    SIGNATURES.put("MATLAB", "a MATLAB file");
    SIGNATURES.put("PAR1", "a Parquet file");
    SIGNATURES.put("ARROW1", "an Arrow file");
    SIGNATURES.put("\u0000\u0000\u0000\fjP  ", "a JPEG 2000 picture");
    SIGNATURES.put("\u0000\u0000\u0000\fJXL ", "a JPEG XL picture");
    SIGNATURES.put("\u00ff\n", "a JPEG XL picture");
    SIGNATURES.put("\u0000\u0000\u0001\u0000", "an icon");
    SIGNATURES.put("II*\u0000", "a TIFF picture");
    SIGNATURES.put("MM\u0000*", "a TIFF picture");
    SIGNATURES.put("%PDF", "a PDF document");
    SIGNATURES.put("version https://git-lfs", "a Git LFS pointer, which stands for a file");
    SIGNATURES.put("\u0080\u0002", "a Python pickle");
    SIGNATURES.put("\u0080\u0003", "a Python pickle");
    SIGNATURES.put("\u0080\u0004", "a Python pickle");
    SIGNATURES.put("\u0080\u0005", "a Python pickle");
    SIGNATURES.put("BZh", "a bzip2 archive");
    SIGNATURES.put("\u00fd7zXZ", "an xz archive");
    SIGNATURES.put("7z\u00bc\u00af", "a 7-Zip archive");
    ENDINGS.put(".csv", "a CSV file");
    ENDINGS.put(".tsv", "a TSV file");
    ENDINGS.put(".onnx", "an ONNX model");
    ENDINGS.put(".tar", "a tar archive");
    ENDINGS.put(".mat", "a MATLAB file");
    ENDINGS.put(".md", "a Markdown text");
  }

  private FileKind() {}

  /**
   * Returns the kind of {@code file}, such as "a PNG picture".
   *
   * @throws BadFileException if the file cannot be read
   */
  public static String of(Path file) {
    try (InputStream in = Files.newInputStream(file)) {
      return of(file.toString(), in.readNBytes(START_BYTES));
    } catch (IOException e) {
      throw Reason.unreadable(file, e);
    }
  }

  /**
   * Returns the kind of a file.
   *
   * @param name the file's name or path
   * @param start the file's first bytes, at most {@link #START_BYTES}
   */
  public static String of(String name, byte[] start) {
    if (start.length == 0) {
      return "an empty file";
    }
    String text = new String(start, StandardCharsets.ISO_8859_1);
    String lowerName = name.toLowerCase(Locale.ROOT);
    for (Map.Entry<String, String> signature : SIGNATURES.entrySet()) {
      if (text.startsWith(signature.getKey())) {
        return signature.getValue();
      }
    }
    if (text.startsWith("PK\u0003\u0004")) {
      return zip(lowerName, text);
    }
    if (text.startsWith("\u001f\u008b")) {
      boolean tar = lowerName.endsWith(".tar.gz") || lowerName.endsWith(".tgz");
      return tar ? "a tar archive" : "a gzip file";
    }
    if (text.startsWith("RIFF") && text.startsWith("WEBP", 8)) {
      return "a WebP picture";
    }
    if (text.matches("(?s)BM.{12}[\\x0c-\\x7c]\u0000\u0000\u0000.*")) { // the length of its header
      return "a BMP picture";
    }
    if (text.startsWith("ftyp", 4)) {
      return isoMedia(text);
    }
    if (text.matches("(?s)P[1346]\\s.*")) {
      return "a PBM or PPM picture";
    }
    if (isOnnx(start)) {
      return "an ONNX model";
    }
    if (isIdx(start)) {
      return "an IDX file of " + IdxFile.content(ByteBuffer.wrap(start).getInt());
    }
    if (isSafetensors(start)) {
      return "a safetensors file";
    }
    for (Map.Entry<String, String> ending : ENDINGS.entrySet()) {
      if (lowerName.endsWith(ending.getKey())) {
        return ending.getValue();
      }
    }
    return text(new String(start, StandardCharsets.UTF_8));
  }

  private static String zip(String lowerName, String text) {
    if (lowerName.endsWith(".npz") || text.contains(".npy")) {
      return "a NumPy archive";
    }
    boolean torch = text.contains("data.pkl") || lowerName.endsWith(".pt");
    return torch || lowerName.endsWith(".pth")
        ? "a zip archive such as torch.save writes"
        : "a zip archive";
  }

  /**
   * The kind of an ISO media file, by its brand. Source: ISO/IEC 23008-12 (HEIF), annexes B and E,
   * and the AVIF specification.
   */
  private static String isoMedia(String text) {
    return switch (text.substring(8, Math.min(12, text.length()))) {
      case "heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1" -> "a HEIC picture";
      case "avif", "avis" -> "an AVIF picture";
      default -> "a video";
    };
  }

  private static String text(String text) {
    String shown = text.strip().toLowerCase(Locale.ROOT);
    if (shown.startsWith("<!doctype html") || shown.startsWith("<html")) {
      return "an HTML page";
    }
    if (shown.startsWith("<") && shown.contains("<svg")) {
      return "an SVG drawing";
    }
    // A malformed character at the very end may be one that the start cuts off; elsewhere it shows
    // that the bytes are not UTF-8.
    int broken = text.indexOf('\ufffd');
    if (broken >= 0 && broken < text.length() - 1
        || text.chars().anyMatch(c -> Character.isISOControl(c) && !Character.isWhitespace(c))) {
      return "a file of another kind";
    }
    return shown.startsWith("{") || shown.startsWith("[") ? "a JSON text" : "a text";
  }

  /** Whether a file starts as IDX does, or as gzip does, which may hold IDX. */
  public static boolean isIdxOrGzip(byte[] start) {
    return GzipInput.isGzip(start, 0) || isIdx(start);
  }

  /**
   * Whether a file starts with two zero bytes, an element type of IDX, and one to eight dimensions.
   */
  public static boolean isIdx(byte[] start) {
    return start.length >= 4
        && start[0] == 0
        && start[1] == 0
        && start[2] >= 0x08
        && start[2] <= 0x0e
        && start[3] >= 1
        && start[3] <= 8;
  }

  /** Whether a file starts with the protobuf of a small version of ONNX and its producer's name. */
  private static boolean isOnnx(byte[] start) {
    return start.length >= 4
        && start[0] == 0x08
        && start[1] > 0
        && start[1] < 32
        && start[2] == 0x12
        && start[3] > 0;
  }

  /**
   * Whether a file starts with a little-endian length that the format allows, and a JSON object.
   */
  public static boolean isSafetensors(byte[] start) {
    if (start.length < 9 || start[8] != '{') {
      return false;
    }
    long header = ByteBuffer.wrap(start).order(ByteOrder.LITTLE_ENDIAN).getLong();
    return header >= 2 && header <= 100_000_000; // the format's own limit
  }
}
