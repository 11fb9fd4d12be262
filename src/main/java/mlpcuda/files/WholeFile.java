package mlpcuda.files;

import java.io.BufferedOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.UUID;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Writes files that appear whole or not at all. */
public final class WholeFile {
  private static final int BUFFER_BYTES = 1 << 16;
  private static final String TEMPORARY = ".temporary";
  private static final Pattern LEFT = Pattern.compile(".+\\.[0-9a-f-]{36}\\" + TEMPORARY);

  private WholeFile() {}

  /** The content of a file. */
  public interface Content {
    /** Writes the content to {@code out}, which is buffered. */
    void writeTo(OutputStream out) throws IOException;
  }

  /**
   * Writes a temporary file beside {@code file}, forces its bytes to disk, moves it over {@code
   * file}, and forces the folder to disk, so that the move outlives a crash.
   *
   * @throws UncheckedIOException if writing fails; the former file is then still there, unless only
   *     forcing the folder failed, and no temporary file is left behind
   */
  public static void write(Path file, Content content) {
    Path temporary = beside(file);
    try {
      try {
        fill(temporary, content);
        Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
        forceFolderOf(file);
      } finally {
        Files.deleteIfExists(temporary); // after the move there is nothing to delete
      }
    } catch (IOException e) {
      throw cannotBeWritten(file, e);
    }
  }

  /**
   * Checks, before long work begins, that {@link #write} can write the file; nothing is left
   * behind.
   *
   * @throws UncheckedIOException if the file cannot be written
   */
  public static void check(Path file) {
    Path temporary = beside(file);
    try {
      if (Files.isDirectory(file)) {
        throw new FileSystemException(file.toString(), null, "a folder of that name is there");
      }
      Files.createFile(temporary);
      Files.delete(temporary);
    } catch (IOException e) {
      throw cannotBeWritten(file, e);
    }
  }

  /** Makes the exception for a {@code file} that could not be written. */
  public static UncheckedIOException cannotBeWritten(Path file, IOException e) {
    String why = e instanceof NoSuchFileException ? "its folder does not exist" : Reason.of(e);
    return new UncheckedIOException(file + ": cannot be written: " + why, e);
  }

  /**
   * Chooses the temporary file's path. Files.createTempFile is not used, because its files are
   * readable by their owner alone.
   */
  private static Path beside(Path file) {
    return file.resolveSibling(file.getFileName() + "." + UUID.randomUUID() + TEMPORARY);
  }

  /** Deletes temporary files that killed processes have left in {@code folder}. */
  public static void clear(Path folder) {
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.toList()) {
        if (LEFT.matcher(file.getFileName().toString()).matches()) {
          Files.deleteIfExists(file);
        }
      }
    } catch (IOException | UncheckedIOException e) {
      // The remaining files take up space and do no harm.
    }
  }

  /**
   * Makes the exception for a folder that could not be made or written to.
   *
   * @param folder the folder as the message names it
   */
  public static UncheckedIOException notAFolder(String folder, IOException e) {
    return new UncheckedIOException(
        "%s: must be a folder to write to, or a name for a new one, found: %s"
            .formatted(folder, Reason.of(e)),
        e);
  }

  private static void fill(Path file, Content content) throws IOException {
    try (FileChannel channel =
            FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        OutputStream out =
            new BufferedOutputStream(Channels.newOutputStream(channel), BUFFER_BYTES)) {
      content.writeTo(out);
      out.flush();
      // Without forcing the bytes, a crash after the move could leave an empty file under the final
      // name.
      channel.force(true);
    }
  }

  /** Forces a folder to disk. On Windows folders cannot be opened, and need not be forced. */
  private static void forceFolderOf(Path file) throws IOException {
    if (File.separatorChar == '\\') {
      return;
    }
    try (FileChannel folder = FileChannel.open(file.toAbsolutePath().getParent())) {
      folder.force(true);
    }
  }
}
