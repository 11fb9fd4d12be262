package mlpcuda.input;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;
import mlpcuda.error.BadFileException;
import mlpcuda.files.Reason;

/**
 * The files of a folder of tables, told apart by their names: {@code mnist_train.csv} and {@code
 * mnist_test.csv}.
 *
 * @param train the training set, or the only file
 * @param test the test set
 * @param validation the validation set
 */
record TableFiles(Path train, Optional<Path> test, Optional<Path> validation) {
  /**
   * Finds the files of a folder; a file is its own training set.
   *
   * @param endings the endings of the files' names, in lower case and without {@code .gz}
   * @throws BadFileException if the names do not tell which file is which
   */
  static TableFiles of(Path path, List<String> endings) {
    if (!Files.isDirectory(path)) {
      return new TableFiles(path, Optional.empty(), Optional.empty());
    }
    List<Path> files = files(path, endings);
    if (files.size() == 1) {
      return new TableFiles(files.get(0), Optional.empty(), Optional.empty());
    }
    Optional<Path> train = named(path, files, "train");
    if (train.isEmpty()) {
      throw new BadFileException(
          "%s: the names of its %d tables, such as %s, do not tell which is the training set; name"
                  .formatted(path, files.size(), files.get(0).getFileName())
              + " it train%s, or name one file".formatted(endings.get(0)));
    }
    return new TableFiles(train.get(), named(path, files, "test"), named(path, files, "val"));
  }

  /** Lists the files of a folder whose names have one of the endings, sorted. */
  static List<Path> files(Path folder, List<String> endings) {
    try (Stream<Path> entries = Files.list(folder)) {
      return entries
          .filter(file -> hasEnding(file, endings) && !Files.isDirectory(file))
          .sorted()
          .toList();
    } catch (IOException e) {
      throw Reason.unreadable(folder, e);
    } catch (UncheckedIOException e) {
      throw Reason.unreadable(folder, e.getCause());
    }
  }

  /** Whether a file's name has one of the endings, perhaps with {@code .gz} behind it. */
  static boolean hasEnding(Path file, List<String> endings) {
    String name = file.getFileName().toString().toLowerCase(Locale.ROOT).replaceFirst("\\.gz$", "");
    return !name.startsWith(".") && endings.stream().anyMatch(name::endsWith);
  }

  private static Optional<Path> named(Path folder, List<Path> files, String word) {
    List<Path> named =
        files.stream()
            .filter(f -> f.getFileName().toString().toLowerCase(Locale.ROOT).contains(word))
            .toList();
    if (named.size() > 1) {
      throw new BadFileException(
          "%s: both %s and %s seem to be the %s set; name one file"
              .formatted(folder, named.get(0).getFileName(), named.get(1).getFileName(), word));
    }
    return named.stream().findFirst();
  }
}
