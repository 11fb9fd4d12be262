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

/** A library of NVIDIA's, which often lies in a folder that the dynamic linker does not search. */
final class CudaLibrary {
  private final String name;
  private final List<String> parts;
  private final boolean needsParts;
  private final List<Path> folders;

  private CudaLibrary(String name, List<String> parts, boolean needsParts, List<Path> folders) {
    this.name = name;
    this.parts = parts;
    this.needsParts = needsParts;
    this.folders = List.copyOf(folders);
  }

  /**
   * cuBLAS of a major version: no other will do. Its part libcublasLt may lie elsewhere, if the
   * linker knows where.
   *
   * @param version 12, which JCublas 12.6 is linked to, or 13
   * @param folders the folders to search, in their order
   */
  static CudaLibrary cublas(int version, List<Path> folders) {
    return new CudaLibrary(
        "libcublas.so." + version, List.of("libcublasLt.so." + version), false, folders);
  }

  /**
   * cuDNN of the major version that JCudnn 12.6 is linked to: no other will do. The library itself
   * only leads to others, the handle's and the operations' here, and where it does not find these
   * it ends the process: so they must lie beside it, and are loaded first, which shows whether they
   * can be.
   *
   * @param folders the folders to search, in their order
   */
  static CudaLibrary cudnn(List<Path> folders) {
    return new CudaLibrary(
        "libcudnn.so.9", List.of("libcudnn_graph.so.9", "libcudnn_ops.so.9"), true, folders);
  }

  /** The folders of this machine: those of LD_LIBRARY_PATH, of CUDA's toolkits, of the system. */
  static List<Path> folders() {
    return folders(System.getenv(), Path.of("/"));
  }

  /**
   * The folders of {@link #folders()} for another environment and another root of the file system.
   */
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
      // The linker finds nothing there either: such a folder is left out.
    }
  }

  /** The file's name. */
  String name() {
    return name;
  }

  /** The library's file, if one of the folders has it. */
  Optional<Path> file() {
    return folders.stream().map(folder -> folder.resolve(name)).filter(Files::exists).findFirst();
  }

  /** The files of this library, whatever their version, that the folders have. */
  List<Path> others() {
    String stem = name.substring(0, name.lastIndexOf('.') + 1); // as libcublas.so.
    return folders.stream()
        .flatMap(folder -> list(folder, stem + "*").stream())
        .filter(file -> file.getFileName().toString().substring(stem.length()).matches("\\d+"))
        .distinct()
        .toList();
  }

  /**
   * Loads the library from its file, if a folder has it; otherwise it is left to the linker.
   *
   * @throws UnsatisfiedLinkError if the file is no good, or a part that it needs is not beside it
   */
  void load() {
    file()
        .ifPresent(
            file -> {
              // Parts are loaded first: the linker then takes these, by their names, for the
              // library.
              for (String part : parts) {
                Path beside = file.resolveSibling(part);
                if (needsParts || Files.exists(beside)) {
                  System.load(beside.toAbsolutePath().toString());
                }
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
