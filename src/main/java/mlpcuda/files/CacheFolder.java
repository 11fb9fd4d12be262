package mlpcuda.files;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * The program's folder for files that can be downloaded or unpacked again at any time.
 *
 * <p>Source: XDG Base Directory Specification, by which relative paths are ignored.
 */
public final class CacheFolder {
  private static final Path STANDARD = of(System.getenv(), System.getProperty("user.home"));

  private CacheFolder() {}

  /** The folder that data sets are downloaded to, which may not exist yet. */
  public static Path datasets() {
    return STANDARD.resolve("datasets");
  }

  /** The folder that keeps the examples of files that were read, which may not exist yet. */
  public static Path examples() {
    return STANDARD.resolve("examples");
  }

  /** The folder that native libraries are unpacked to, which may not exist yet. */
  public static Path natives() {
    return STANDARD.resolve("natives");
  }

  /**
   * Chooses the folder for an environment. {@code $HOME} is preferred to {@code home}; without a
   * home folder in which a folder can be made, the cache is a new temporary folder. Spark's
   * executors in containers often have no home of their own.
   *
   * @param environment such as {@code System.getenv()}
   * @param home the user's home folder, as {@code user.home} has it
   * @return an absolute path
   * @throws UncheckedIOException if no home is known and no temporary folder can be made
   */
  static Path of(Map<String, String> environment, String home) {
    Path chosen = Path.of(environment.getOrDefault("XDG_CACHE_HOME", ""));
    if (chosen.isAbsolute()) {
      return chosen.resolve("mlp-cuda");
    }
    // Java reports "?" for a user without a passwd entry.
    for (String known : List.of(environment.getOrDefault("HOME", ""), home == null ? "" : home)) {
      Path folder = Path.of(known).resolve(".cache").resolve("mlp-cuda");
      if (folder.isAbsolute() && canBeMade(folder)) {
        return folder;
      }
    }
    return temporary();
  }

  /** Whether a folder is there already, or this user may make it and what is missing above it. */
  private static boolean canBeMade(Path folder) {
    Path existing = folder;
    while (existing != null && !Files.exists(existing)) {
      existing = existing.getParent();
    }
    return existing != null
        && (existing.equals(folder) || Files.isDirectory(existing) && Files.isWritable(existing));
  }

  /** Makes a folder that only this user can enter; it is deleted at the end of the process. */
  private static Path temporary() {
    try {
      Path folder = Files.createTempDirectory("mlp-cuda-"); // with mode 0700
      Runtime.getRuntime().addShutdownHook(new Thread(() -> delete(folder), "mlp-cuda-folder"));
      return folder;
    } catch (IOException e) {
      throw new UncheckedIOException(
          "no home folder is known, and no temporary one can be made: " + Reason.of(e), e);
    }
  }

  private static void delete(Path folder) {
    try (Stream<Path> files = Files.walk(folder)) {
      files.sorted(Comparator.reverseOrder()).forEach(file -> file.toFile().delete());
    } catch (IOException | UncheckedIOException e) {
      // A folder that could not be deleted stays among the temporary files, readable by this user
      // alone.
    }
  }
}
