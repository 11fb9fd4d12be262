package mlpcuda.compute.cuda;

import java.io.File;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Where cuBLAS lies: often in a toolkit's folder that the dynamic linker does not look into. */
final class CublasLibrary {
  /** What JCublas 12.6 is linked to. No other major version will do. */
  static final String NAME = "libcublas.so.12";

  /** Which {@link #NAME} needs, and finds if it is loaded first. */
  private static final String LIGHT = "libcublasLt.so.12";

  private final List<Path> folders;

  /** {@code folders} are looked into in their order. */
  CublasLibrary(List<Path> folders) {
    this.folders = List.copyOf(folders);
  }

  /** The folders of this machine: those of LD_LIBRARY_PATH, of CUDA's toolkits, of the system. */
  static CublasLibrary ofThisMachine() {
    return new CublasLibrary(folders(System.getenv(), Path.of("/")));
  }

  /** As {@link #ofThisMachine}, for that environment and root of the file system. */
  static List<Path> folders(Map<String, String> environment, Path root) {
    List<Path> folders = new ArrayList<>();
    for (String entry : environment.getOrDefault("LD_LIBRARY_PATH", "").split(File.pathSeparator)) {
      addIfPath(folders, entry, "");
    }
    addIfPath(folders, environment.getOrDefault("CUDA_HOME", ""), "lib64");
    addIfPath(folders, environment.getOrDefault("CUDA_PATH", ""), "lib64");
    for (Path toolkit : list(root.resolve("usr/local"), "cuda*")) {
      folders.add(toolkit.resolve("lib64"));
    }
    for (String system : List.of("usr/lib/x86_64-linux-gnu", "usr/lib64", "usr/lib")) {
      folders.add(root.resolve(system));
    }
    return folders;
  }

  private static void addIfPath(List<Path> folders, String entry, String below) {
    try {
      Path path = Path.of(entry);
      if (path.isAbsolute()) { // relative ones change with the working folder: not ours to trust
        folders.add(path.resolve(below));
      }
    } catch (InvalidPathException e) {
      // The linker finds nothing there either.
    }
  }

  /** The library, if one of the folders has it. */
  Optional<Path> file() {
    return folders.stream().map(folder -> folder.resolve(NAME)).filter(Files::exists).findFirst();
  }

  /** The libraries of whatever version that the folders have. */
  List<Path> others() {
    return folders.stream()
        .flatMap(folder -> list(folder, "libcublas.so.*").stream())
        .filter(file -> file.getFileName().toString().matches("libcublas\\.so\\.\\d+"))
        .distinct()
        .toList();
  }

  /**
   * Loads the library from its file, if a folder has it. Else the linker may know where it is.
   *
   * @throws UnsatisfiedLinkError if the file is no good
   */
  void load() {
    file()
        .ifPresent(
            file -> {
              Path light = file.resolveSibling(LIGHT);
              if (Files.exists(light)) {
                System.load(light.toAbsolutePath().toString());
              }
              System.load(file.toAbsolutePath().toString());
            });
  }

  private static List<Path> list(Path folder, String pattern) {
    List<Path> found = new ArrayList<>();
    try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, pattern)) {
      files.forEach(found::add);
    } catch (IOException e) {
      return List.of(); // no such folder
    }
    found.sort(null);
    return found;
  }
}
