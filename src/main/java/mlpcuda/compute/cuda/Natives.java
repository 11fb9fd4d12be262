package mlpcuda.compute.cuda;

import java.io.File;
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
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import jcuda.JCudaVersion;
import jcuda.LibUtils;
import mlpcuda.compute.DeviceException;

/**
 * JCuda's native libraries: unpacked from the class path into a folder that only this user can
 * write, compared with the class path's bytes each time, and loaded from there.
 *
 * <p>By itself JCuda unpacks to a fixed name in java.io.tmpdir, and loads what lies there already:
 * whoever can write to /tmp could run code in this process.
 */
final class Natives {
  private static final Set<String> LOADED = ConcurrentHashMap.newKeySet();

  private static final boolean POSIX =
      FileSystems.getDefault().supportedFileAttributeViews().contains("posix");

  private final Path folder;

  /**
   * Keeps libraries below {@code folder}, which is made if missing, in one folder for each version.
   */
  Natives(Path folder) {
    this.folder =
        folder.toAbsolutePath().resolve(LibUtils.createPlatformLibraryName("jcuda-" + version()));
  }

  private static String version() {
    return JCudaVersion.get();
  }

  /** The file's name, as {@code libJCudaDriver-12.6.0-linux-x86_64.so}. */
  static String fileName(String library) {
    return LibUtils.createLibraryFileName(
        LibUtils.createPlatformLibraryName(library + "-" + version()));
  }

  /**
   * Unpacks and loads a library, then makes the first call to JCuda's class for it. No other thread
   * may make temporary files meanwhile.
   *
   * @param library the library's name, as {@code JCudaDriver}
   * @param firstCall a call to that class, which makes the JVM initialise it
   * @throws DeviceException if the library is not in the class path, or cannot be unpacked
   * @throws LinkageError if the dynamic linker refuses the library, with the linker's message
   */
  void load(String library, Runnable firstCall) {
    if (LOADED.contains(library)) {
      return; // the process needs one copy, whatever the folder
    }
    Path file = unpack(library);
    refuseOthers(file.getFileName().toString(), System.getProperty("java.library.path", ""));
    // When initialised, a class of JCuda loads java.io.tmpdir/NAME, unpacking it only if missing:
    // pointed to the verified file it does no more than find it loaded.
    synchronized (Natives.class) {
      String temporary = System.getProperty("java.io.tmpdir");
      System.setProperty("java.io.tmpdir", file.getParent().toString());
      try {
        System.load(file.toString()); // loaded here first, for the linker's plain message
        firstCall.run();
        LOADED.add(library);
      } finally {
        System.setProperty("java.io.tmpdir", temporary);
      }
    }
  }

  /**
   * Refuses a file of that name on Java's library path: JCuda would prefer it, and it is
   * unverified.
   */
  private static void refuseOthers(String name, String libraryPath) {
    for (String entry : libraryPath.split(File.pathSeparator)) {
      var other = new File(entry.isEmpty() ? "." : entry, name); // as the JDK reads the path
      if (other.exists()) {
        throw new DeviceException(
            "JCuda's library must come from the program's jar, found another on the library path: "
                + other,
            "Remove that file, or its folder from LD_LIBRARY_PATH and java.library.path.");
      }
    }
  }

  /**
   * Unpacks a library unless it is there, and returns its file, which has the class path's bytes.
   * Two processes may do this at once: the file is written beside its place and moved there, so
   * that one that another process has loaded is never changed.
   */
  Path unpack(String library) {
    String name = fileName(library);
    try (InputStream in = Natives.class.getResourceAsStream("/lib/" + name)) {
      if (in == null) {
        throw Obstacle.noLibrary(name).exception(null);
      }
      byte[] content = in.readAllBytes();
      Path real = ownFolder();
      Path file = real.resolve(name);
      if (!holds(file, content)) {
        replace(file, content);
      }
      return file;
    } catch (IOException e) {
      throw Obstacle.notUnpacked(folder, DeviceException.reason(e)).exception(e);
    } catch (UncheckedIOException e) {
      throw Obstacle.notUnpacked(folder, DeviceException.reason(e.getCause())).exception(e);
    }
  }

  private static void replace(Path file, byte[] content) throws IOException {
    Path part = Files.createTempFile(file.getParent(), file.getFileName().toString(), ".part");
    try {
      Files.write(part, content);
      Files.move(part, file, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      // Windows replaces no file that another process has loaded; the loaded one may be right, too.
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
    Path self = Path.of("/proc/self"); // belongs to this user
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
