package mlpcuda.files;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.URL;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserPrincipal;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;

/**
 * A folder that native libraries are unpacked to from the class path. Only this user can write to
 * the folder, and each file is compared with the class path's bytes, or with their SHA-256, before
 * it is loaded: another user who could place a library here would run code in this process.
 */
public final class NativeFolder {
  private static final int CHUNK_BYTES = 64 << 10;
  private static final int STICKY = 01000; // the sticky bit of stat's mode, see inode(7)
  private static final int OTHERS_WRITE = 0002;
  private static final int ROOT = 0;
  private static final int NOBODY = 65534;
  private static final boolean POSIX =
      FileSystems.getDefault().supportedFileAttributeViews().contains("posix");

  private final Path folder;

  /** Creates a handle for a folder, which {@link #unpack} makes if it is missing. */
  public NativeFolder(Path folder) {
    this.folder = folder.toAbsolutePath();
  }

  /** The folder's absolute path. */
  public Path path() {
    return folder;
  }

  /**
   * Makes sure that a file of the given name lies in the folder and holds the content's bytes. Two
   * processes may do this at once: a new file is written beside the old one and moved into its
   * place, because another process may have loaded the old file.
   *
   * @param content a resource of the class path
   * @param sha256 the SHA-256 of the content in lower-case hexadecimal, if it is known: to hash the
   *     file takes a fraction of the time in which the content is inflated to be compared
   * @return the file's path without symbolic links
   * @throws IOException if the file cannot be written, or the folder belongs to another user
   */
  public Path unpack(URL content, String name, Optional<String> sha256) throws IOException {
    try {
      Path file = make().resolve(name);
      if (!holds(file, content, sha256)) {
        replace(file, content);
      }
      return file;
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  private static void replace(Path file, URL content) throws IOException {
    Path part = Files.createTempFile(file.getParent(), file.getFileName().toString(), ".part");
    try {
      try (InputStream in = content.openStream();
          OutputStream out = Files.newOutputStream(part)) {
        in.transferTo(out);
      }
      Files.move(part, file, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      // Windows does not replace a file that another process has loaded; the loaded file may have
      // the right content already.
      if (!holds(file, content, Optional.empty())) {
        throw e;
      }
    } finally {
      Files.deleteIfExists(part);
    }
  }

  /** Whether the file has the given content, and only this user can change it. */
  private static boolean holds(Path file, URL content, Optional<String> sha256) throws IOException {
    if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS) || POSIX && !isOurs(file)) {
      return false;
    }
    if (sha256.isPresent()) {
      return Sha256.of(file).equals(sha256.get());
    }
    try (InputStream in = content.openStream();
        InputStream there = Files.newInputStream(file)) {
      byte[] chunk = in.readNBytes(CHUNK_BYTES);
      while (chunk.length > 0 && Arrays.equals(chunk, there.readNBytes(chunk.length))) {
        chunk = in.readNBytes(CHUNK_BYTES);
      }
      return chunk.length == 0 && there.read() < 0; // both streams have ended
    }
  }

  /**
   * Whether the file belongs to this user: another user may have put it there while the folder was
   * writable for all.
   */
  private static boolean isOurs(Path file) throws IOException {
    return Files.getOwner(file).equals(Files.getOwner(file.getParent()))
        && Files.getPosixFilePermissions(file).equals(PosixFilePermissions.fromString("rw-------"));
  }

  /**
   * Makes the folder, writable by this user alone, so that no file can change after it was
   * verified.
   *
   * @return the folder's path without symbolic links
   * @throws IOException if it cannot be made, or belongs to another user
   */
  public Path make() throws IOException {
    if (!POSIX) {
      Files.createDirectories(folder);
      return folder.toRealPath();
    }
    var mine = PosixFilePermissions.fromString("rwx------");
    Files.createDirectories(folder, PosixFilePermissions.asFileAttribute(mine));
    Path real = folder.toRealPath();
    UserPrincipal user = user(real);
    if (!Files.getOwner(real).equals(user)) {
      throw new IOException("must belong to %s, found %s".formatted(user, Files.getOwner(real)));
    }
    if (!Files.getPosixFilePermissions(real).equals(mine)) {
      Files.setPosixFilePermissions(real, mine);
    }
    checkParents(real, user);
    return real;
  }

  /**
   * Refuses a folder that another user could replace by another folder of the same name after its
   * files were verified. Sticky folders, such as /tmp, are safe: in them only a file's owner can
   * move it. A container may show the system's folders as owned by {@link #NOBODY}.
   */
  private static void checkParents(Path folder, UserPrincipal user) throws IOException {
    for (Path parent = folder.getParent(); parent != null; parent = parent.getParent()) {
      Map<String, Object> found = Files.readAttributes(parent, "unix:uid,mode,owner");
      int mode = (Integer) found.get("mode");
      int uid = (Integer) found.get("uid");
      boolean sticky = (mode & STICKY) != 0;
      if ((mode & OTHERS_WRITE) != 0 && !sticky) {
        throw new IOException("all users can write to " + parent);
      }
      if (uid != ROOT && uid != NOBODY && !found.get("owner").equals(user)) {
        throw new IOException("%s belongs to %s".formatted(parent, found.get("owner")));
      }
    }
  }

  /**
   * Returns the user of this process; without /proc, the owner of a file that the process makes.
   */
  private static UserPrincipal user(Path folder) throws IOException {
    Path self = Path.of("/proc/self");
    if (Files.exists(self)) {
      return Files.getOwner(self);
    }
    Path made = Files.createTempFile(folder, "owner", ".part");
    try {
      return Files.getOwner(made);
    } finally {
      Files.deleteIfExists(made);
    }
  }
}
