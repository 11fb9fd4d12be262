package mlpcuda.compute.cuda;

import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import java.io.File;
import java.io.IOException;
import java.net.URL;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import jcuda.JCudaVersion;
import jcuda.LibUtils;
import mlpcuda.error.DeviceException;
import mlpcuda.files.NativeFolder;
import mlpcuda.files.Reason;

/**
 * The native libraries of JCuda and JNA, which are unpacked into a {@link NativeFolder} and loaded
 * from there.
 *
 * <p>By itself JCuda unpacks to a fixed name in java.io.tmpdir, and loads what lies there already:
 * whoever can write to /tmp could run code in this process. JNA would take a library that Java's
 * properties name, or unpack one to a folder that it does not check.
 */
final class Natives {
  private static final Set<String> LOADED = ConcurrentHashMap.newKeySet();

  private static final String JNA = "libjnidispatch.so";

  private final NativeFolder folder;
  private final NativeFolder jnaFolder;

  /**
   * Keeps libraries below {@code folder}, which is made if missing, in one folder for each version.
   */
  Natives(Path folder) {
    this.folder =
        new NativeFolder(folder.resolve(LibUtils.createPlatformLibraryName("jcuda-" + version())));
    jnaFolder = new NativeFolder(folder.resolve("jna-" + Native.VERSION));
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
      return; // the process needs one copy, from whichever folder
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
   * Unpacks and loads JNA's library for Linux on x86-64, unless the process has loaded one. Java's
   * properties of JNA have other values meanwhile, and their own again afterwards.
   *
   * @throws DeviceException if the library is not in the class path, or cannot be unpacked
   * @throws LinkageError if the dynamic linker refuses the library, with the linker's message
   */
  void loadJna() {
    synchronized (Natives.class) {
      if (LOADED.contains(JNA)) {
        return;
      }
      Path file = unpack(jnaFolder, "/com/sun/jna/linux-x86-64/" + JNA, JNA);
      Map<String, String> settings =
          Map.of(
              "jna.boot.library.name", "jnidispatch",
              "jna.boot.library.path", file.getParent().toString(),
              "jna.nosys", "true",
              "jna.noclasspath", "true",
              "jna.nounpack", "true",
              // Without this one JNA would run ldconfig, to list folders that the linker knows.
              "jna.platform.library.path", "");
      var before = new HashMap<String, String>();
      settings.forEach((name, value) -> before.put(name, System.setProperty(name, value)));
      try {
        if (!Boolean.getBoolean("jna.loaded")) { // JNA's own note of it
          System.load(file.toString()); // loaded here first, for the linker's plain message
        }
        NativeLibrary.getProcess(); // makes the JVM initialise JNA's classes
        LOADED.add(JNA);
      } finally {
        before.forEach(Natives::restore);
      }
    }
  }

  private static void restore(String property, String value) {
    if (value == null) {
      System.clearProperty(property);
    } else {
      System.setProperty(property, value);
    }
  }

  /**
   * Unpacks a library of JCuda.
   *
   * @throws DeviceException if it is not in the class path, or cannot be unpacked
   */
  Path unpack(String library) {
    String name = fileName(library);
    return unpack(folder, "/lib/" + name, name);
  }

  private static Path unpack(NativeFolder folder, String resource, String name) {
    URL content = Natives.class.getResource(resource);
    if (content == null) {
      throw GpuProblem.noLibrary(name).exception();
    }
    try {
      return folder.unpack(content, name, Optional.empty());
    } catch (IOException e) {
      throw GpuProblem.notUnpacked(folder.path(), Reason.of(e)).exception(e);
    }
  }
}
