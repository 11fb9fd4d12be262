package mlpcuda.input;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import mlpcuda.data.GzipInput;
import mlpcuda.files.Reason;
import mlpcuda.input.ReadOptions.Format;

/** Recognises the format of examples: a file's by its contents, a folder's by what is in it. */
final class Recognition {
  static final List<String> CSV = List.of(".csv", ".tsv");
  static final List<String> LIBSVM = List.of(".libsvm", ".svmlight", ".svm");
  private static final List<String> NUMPY = List.of(".npz", ".npy");
  private static final List<String> PICTURES =
      List.of(".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".webp", ".pgm");

  /** The deepest level below the named folder at which IDX files are looked for. */
  private static final int DEEPEST = 4;

  /** The most entries that are looked at, so that a home folder is given up within seconds. */
  private static final int MOST_ENTRIES = 100_000;

  private static final int START_BYTES = 4096;

  private static final Pattern IDX_NAME =
      Pattern.compile(".*[-.]idx[1-4]-(ubyte|byte|short|int|float|double)(\\.gz)?");

  private static final Pattern LIBSVM_LINE =
      Pattern.compile("[-+.\\w]+(\\s+qid:\\d+)?(\\s+\\d+:[-+.\\w]+)+\\s*(#.*)?");

  private Recognition() {}

  /**
   * Returns the format of a file or folder. Where nothing is recognised it is IDX, whose reader
   * says what it misses.
   */
  static Format of(Path path) {
    if (Files.isDirectory(path)) {
      return ofFolder(path);
    }
    return Files.exists(path) ? ofFile(path) : Format.IDX;
  }

  private static Format ofFolder(Path folder) {
    if (holds(folder, DEEPEST, file -> IDX_NAME.matcher(file).matches())) {
      return Format.IDX;
    }
    if (!TableFiles.files(folder, NUMPY).isEmpty()) {
      return Format.NUMPY;
    }
    if (!TableFiles.files(folder, CSV).isEmpty()) {
      return Format.CSV;
    }
    if (!TableFiles.files(folder, LIBSVM).isEmpty()) {
      return Format.LIBSVM;
    }
    boolean pictures =
        holds(folder, DEEPEST, file -> PICTURES.stream().anyMatch(file.toLowerCase()::endsWith));
    return pictures ? Format.PICTURES : Format.IDX;
  }

  private static boolean holds(Path folder, int depth, Predicate<String> name) {
    try (Stream<Path> entries = Files.walk(folder, depth)) {
      return entries
          .limit(MOST_ENTRIES)
          .anyMatch(entry -> name.test(entry.getFileName().toString()));
    } catch (IOException e) {
      throw Reason.unreadable(folder, e);
    } catch (UncheckedIOException e) {
      return false; // a folder that cannot be listed: the reader of IDX says so
    }
  }

  private static Format ofFile(Path file) {
    byte[] start = start(file);
    String text = new String(start, StandardCharsets.ISO_8859_1);
    if (text.startsWith("\u0093NUMPY") || text.startsWith("PK\u0003\u0004")) {
      return Format.NUMPY;
    }
    if (text.startsWith("\u0000\u0000")) {
      return Format.IDX;
    }
    Optional<String> first =
        text.lines().map(String::strip).filter(l -> !l.isEmpty() && !l.startsWith("#")).findFirst();
    if (first.isPresent() && LIBSVM_LINE.matcher(first.get()).matches()) {
      return Format.LIBSVM;
    }
    // The reader of IDX files says what a file of another kind is, and what is read.
    return text.chars().noneMatch(c -> c == 0 || c == 0x93) ? Format.CSV : Format.IDX;
  }

  private static byte[] start(Path file) {
    try (InputStream in = GzipInput.open(file)) {
      return in.readNBytes(START_BYTES);
    } catch (IOException e) {
      throw Reason.unreadable(file, e);
    }
  }
}
