package mlpcuda.files;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;

/**
 * A folder that native libraries are unpacked to from the class path. Only this user can write to
 * it, and each file is compared with the class path's bytes before it is handed out: whoever could
 * plant a library here would run code in this process.
 */
public final class NativeFolder {
  private static final boolean POSIX =
      FileSystems.getDefault().supportedFileAttributeViews().contains("posix");

  private final Path folder;

  /** Names the folder, which {@link #unpack} makes where it is missing. */
  public NativeFolder(Path folder) {
    this.folder = folder.toAbsolutePath();
  }

  /** The folder's absolute path. */
  public Path path() {
    return folder;
  }

  /**
   * Makes sure that a file of that name lies in the folder and holds these bytes. Two processes may
   * do so at once: a new file is written beside the old one and moved into its place, for another
   * process may have the old one loaded.
   *
   * @return the file's path without symbolic links
   * @throws IOException if the file cannot be written, or the folder belongs to another user
   */
  public Path unpack(InputStream content, String name) throws IOException {
    try {
      byte[] bytes = content.readAllBytes();
      Path file = ownFolder().resolve(name);
      if (!holds(file, bytes)) {
        replace(file, bytes);
      }
      return file;
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  private static void replace(Path file, byte[] content) throws IOException {
    Path part = Files.createTempFile(file.getParent(), file.getFileName().toString(), ".part");
    try {
      Files.write(part, content);
      Files.move(part, file, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      // Windows replaces no file that another process has loaded; that may have the right content.
      if (!holds(file, content)) {
        throw e;
      }
    } finally {
      Files.deleteIfExists(part);
    }
  }

  /** Whether the file has that content, and none but this user can change it. */
  private static boolean holds(Path file, byte[] content) throws IOException {
    return Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)
        && (!POSIX || isOurs(file))
        && Files.size(file) == content.length
        && Arrays.equals(Files.readAllBytes(file), content);
  }

  /**
   * Whether the file is this user's: another user may have put one there while the folder was open.
   */
  private static boolean isOurs(Path file) throws IOException {
    return Files.getOwner(file).equals(Files.getOwner(file.getParent()))
        && Files.getPosixFilePermissions(file).equals(PosixFilePermissions.fromString("rw-------"));
  }

  /**
   * Makes the folder, writable by this user alone: else a file could change after it was verified.
   */
  private Path ownFolder() throws IOException {
    if (!POSIX) {
      Files.createDirectories(folder);
      return folder.toRealPath();
    }
    var mine = PosixFilePermissions.fromString("rwx------");
    Files.createDirectories(folder, PosixFilePermissions.asFileAttribute(mine));
    Path real = folder.toRealPath();
    Path self = Path.of("/proc/self"); // is this user's
    if (Files.exists(self) && !Files.getOwner(real).equals(Files.getOwner(self))) {
      throw new IOException(
          "must belong to %s, found %s".formatted(Files.getOwner(self), Files.getOwner(real)));
    }
    if (!Files.getPosixFilePermissions(real).equals(mine)) {
      Files.setPosixFilePermissions(real, mine);
    }
    return real;
  }
}
