package mlpcuda.compute.cpu;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import mlpcuda.error.DeviceException;
import mlpcuda.files.CacheFolder;
import mlpcuda.files.NativeFolder;
import mlpcuda.files.OneLine;
import mlpcuda.files.Reason;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.openblas.global.openblas_nolapack;

/**
 * Loads OpenBLAS.
 *
 * <p>JavaCPP by itself trusts a file that lies in its cache folder already by its size and time,
 * and takes a folder below the one for temporary files, which another user may have made, where its
 * cache folder cannot be made. On Linux the libraries are therefore unpacked into a {@link
 * NativeFolder}, loaded from there, and JavaCPP is told to load none. On Windows and macOS JavaCPP
 * loads them, from such a folder too, which is made before: JavaCPP then has no reason to take
 * another.
 */
final class OpenBlas {
  private static final String HASHES = "openblas.sha256";
  private static final String LOAD_LIBRARIES = "org.bytedeco.javacpp.loadlibraries";

  /**
   * The libraries of Linux by the names that their dependents look for, in the order in which they
   * must be loaded. JavaCPP's jar has libopenblas.so.0 under another name.
   */
  private static final List<Map.Entry<String, String>> LIBRARIES =
      List.of(
          Map.entry("libgcc_s.so.1", "openblas/%s/libgcc_s.so.1"),
          Map.entry("libquadmath.so.0", "openblas/%s/libquadmath.so.0"),
          Map.entry("libgfortran.so.5", "openblas/%s/libgfortran.so.5"),
          Map.entry("libopenblas_nolapack.so.0", "openblas/%s/libopenblas.so.0"),
          Map.entry("libjnijavacpp.so", "javacpp/%s/libjnijavacpp.so"),
          Map.entry("libjniopenblas_nolapack.so", "openblas/%s/libjniopenblas_nolapack.so"));

  private static volatile boolean loaded;

  private OpenBlas() {}

  /**
   * Loads OpenBLAS unless it is loaded.
   *
   * @throws DeviceException if OpenBLAS cannot be unpacked or loaded; it names the folder and the
   *     cause
   */
  static synchronized void load() {
    if (loaded) {
      return;
    }
    // By default JavaCPP allows no more native memory than the Java heap may have.
    System.setProperty("org.bytedeco.javacpp.maxBytes", "0");
    System.setProperty("org.bytedeco.javacpp.maxPhysicalBytes", "0");
    var folder = new NativeFolder(CacheFolder.natives().resolve("openblas-" + platform()));
    try {
      if (platform().startsWith("linux")) {
        loadFrom(folder);
      } else {
        // JavaCPP looks elsewhere for a folder if this one cannot be made.
        System.setProperty("org.bytedeco.javacpp.cachedir", folder.make().toString());
        Loader.load(openblas_nolapack.class);
        openblas_nolapack.blas_set_num_threads(1);
      }
      loaded = true;
    } catch (IOException e) {
      throw new DeviceException(
          "OpenBLAS cannot be unpacked to %s: %s".formatted(folder.path(), Reason.of(e)),
          "Set XDG_CACHE_HOME to a folder of yours that can be written and has 50 MB of space.",
          e);
    } catch (LinkageError e) {
      String cause = firstCause(e);
      throw new DeviceException(
          "OpenBLAS could not be loaded for %s: %s".formatted(platform(), cause), remedy(cause), e);
    }
  }

  private static String platform() {
    return Loader.getPlatform(); // for example linux-x86_64
  }

  private static void loadFrom(NativeFolder folder) throws IOException {
    Map<String, String> hashes = hashes();
    var files = new ArrayList<String>();
    for (Map.Entry<String, String> library : LIBRARIES) {
      String resource = "/org/bytedeco/" + library.getValue().formatted(platform());
      URL content = OpenBlas.class.getResource(resource);
      if (content != null) { // not every platform has all of them
        Optional<String> hash = Optional.ofNullable(hashes.get(resource));
        files.add(folder.unpack(content, library.getKey(), hash).toString());
      }
    }
    if (files.isEmpty()) {
      throw new UnsatisfiedLinkError("the program was built without OpenBLAS for this platform");
    }
    // JavaCPP loads libraries of its own when its classes are initialised, unless this property
    // forbids it. All classes that are used later are therefore initialised here.
    String before = System.setProperty(LOAD_LIBRARIES, "false");
    try {
      files.forEach(System::load);
      Class.forName(openblas_nolapack.class.getName());
      openblas_nolapack.blas_set_num_threads(1);
      new FloatPointer(1).close();
      new IntPointer(1).close();
    } catch (ClassNotFoundException e) {
      throw new AssertionError(
          "the class is on the class path that this class was compiled with", e);
    } finally {
      if (before == null) {
        System.clearProperty(LOAD_LIBRARIES);
      } else {
        System.setProperty(LOAD_LIBRARIES, before);
      }
    }
  }

  /**
   * The SHA-256 of libraries by their resources, for the platform that releases are built on; those
   * of other platforms have none, and are compared with their resources.
   *
   * @throws IOException if the list cannot be read
   */
  static Map<String, String> hashes() throws IOException {
    var hashes = new HashMap<String, String>();
    try (InputStream in = OpenBlas.class.getResourceAsStream(HASHES)) {
      for (String line : new String(in.readAllBytes(), UTF_8).lines().toList()) {
        String[] hashAndResource = line.split("  "); // as sha256sum prints them
        hashes.put(hashAndResource[1], hashAndResource[0]);
      }
    }
    return hashes;
  }

  /** The message of the error at the root of the chain of causes, in one line. */
  static String firstCause(Throwable error) {
    Throwable first = error;
    while (first.getCause() != null) {
      first = first.getCause();
    }
    String message = first.getMessage();
    return message == null ? first.toString() : OneLine.joined(message);
  }

  /** What a user can do about that cause. */
  static String remedy(String cause) {
    return cause.contains("failed to map segment") || cause.contains("Operation not permitted")
        ? "Set XDG_CACHE_HOME to a folder on a file system that allows execution (not mounted"
            + " noexec)."
        : "Use a jar that was built on this platform.";
  }
}
