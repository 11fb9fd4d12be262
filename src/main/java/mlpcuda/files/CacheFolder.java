package mlpcuda.files;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
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
   * home folder the cache is a new temporary folder.
   *
   * @param environment such as {@code System.getenv()}
   * @param home the user's home folder, as {@code user.home} has it
   * @return an absolute path
   * @throws UncheckedIOException if no home is known and no temporary folder can be made
   */
  static Path of(Map<String, String> environment, String home) {
    Path base = Path.of(environment.getOrDefault("XDG_CACHE_HOME", ""));
    if (!base.isAbsolute()) {
      base = Path.of(environment.getOrDefault("HOME", ""));
      if (!base.isAbsolute()) { // Java reports "?" for a user without a passwd entry
        base = Path.of(home == null ? "" : home);
      }
      if (!base.isAbsolute()) {
        return temporary();
      }
      base = base.resolve(".cache");
    }
    return base.resolve("mlp-cuda");
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
