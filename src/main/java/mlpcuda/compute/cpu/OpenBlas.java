package mlpcuda.compute.cpu;

import java.io.IOException;
import mlpcuda.compute.DeviceException;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.openblas.global.openblas_nolapack;

/** Loads OpenBLAS, which JavaCPP unpacks from the class path into its cache folder first. */
final class OpenBlas {
  private static volatile boolean loaded;

  private OpenBlas() {}

  /**
   * Loads OpenBLAS unless it is loaded.
   *
   * @throws DeviceException if OpenBLAS cannot be unpacked or loaded; it names the folder and the
   *     first cause
   */
  static void load() {
    if (loaded) {
      return; // asking JavaCPP again would take milliseconds of the program's start
    }
    // By default JavaCPP allows no more native memory than the Java heap may have.
    System.setProperty("org.bytedeco.javacpp.maxBytes", "0");
    System.setProperty("org.bytedeco.javacpp.maxPhysicalBytes", "0");
    try {
      Loader.load(openblas_nolapack.class);
      openblas_nolapack.blas_set_num_threads(1);
      loaded = true;
    } catch (LinkageError e) {
      throw failure(e);
    }
  }

  /**
   * Finds out why OpenBLAS was not loaded. JavaCPP logs a failure to unpack a library and goes on;
   * its error then tells of a library that is not on Java's path. The libraries are therefore
   * unpacked once more here, which throws the first cause.
   */
  private static DeviceException failure(LinkageError error) {
    String folder;
    try {
      folder = Loader.getCacheDir().toString();
    } catch (IOException e) {
      return failure("", "no cache folder can be written to", error);
    }
    try {
      Loader.cacheResources(
          openblas_nolapack.class, "/org/bytedeco/openblas/" + Loader.getPlatform() + "/");
    } catch (IOException e) {
      return failure(
          "",
          "it cannot be unpacked to %s: %s".formatted(folder, DeviceException.reason(e)),
          error);
    }
    return failure(" from " + folder, firstCause(error), error);
  }

  private static DeviceException failure(String folder, String what, LinkageError error) {
    return new DeviceException(
        "OpenBLAS could not be loaded for %s%s: %s".formatted(Loader.getPlatform(), folder, what),
        remedy(what),
        error);
  }

  /** The message of the error at the root of the chain of causes, in one line. */
  static String firstCause(Throwable error) {
    Throwable first = error;
    while (first.getCause() != null) {
      first = first.getCause();
    }
    String message = first.getMessage();
    return message == null ? first.toString() : message.strip().replaceAll("\\s*\\R\\s*", " ");
  }

  /** The remedy for that cause. */
  static String remedy(String what) {
    if (what.contains("failed to map segment") || what.contains("Operation not permitted")) {
      return "Set XDG_CACHE_HOME to a folder on a file system that allows execution (not mounted"
          + " noexec).";
    }
    if (what.contains("unpacked") || what.contains("cache folder")) {
      return "Set XDG_CACHE_HOME to a folder that can be written and has 50 MB of space.";
    }
    return "Use a jar that was built on this platform.";
  }
}
