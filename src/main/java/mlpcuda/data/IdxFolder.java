package mlpcuda.data;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import mlpcuda.error.BadFileException;

/**
 * Reads the four IDX files of a data set from a folder, under the names that they are published
 * with: plain, also spelt {@code train-images.idx3-ubyte}, or {@code .gz}; a plain file is
 * preferred. The files may lie in the folder itself or in a folder below it, where torchvision
 * ({@code MNIST/raw}) and archives put them, and each file may lie in a folder of the file's own
 * name.
 */
public final class IdxFolder {
  /**
   * The names of a data set's files: {@code <prefix>train-images-idx3-ubyte}, and so on.
   *
   * @param prefix the beginning of all four names
   * @param test the name of the test set
   * @param labels the ending of the names of label files
   */
  private record Names(String prefix, String test, String labels) {
    static final List<Names> ALL =
        List.of(
            new Names("", "t10k", "idx1-ubyte"), // MNIST, Fashion-MNIST, KMNIST
            new Names("qmnist-", "test", "idx2-int"),
            new Names("emnist-balanced-", "test", "idx1-ubyte"),
            new Names("emnist-byclass-", "test", "idx1-ubyte"),
            new Names("emnist-bymerge-", "test", "idx1-ubyte"),
            new Names("emnist-digits-", "test", "idx1-ubyte"),
            new Names("emnist-letters-", "test", "idx1-ubyte"),
            new Names("emnist-mnist-", "test", "idx1-ubyte"));

    String trainImages() {
      return prefix + "train-images-idx3-ubyte";
    }

    String trainLabels() {
      return prefix + "train-labels-" + labels;
    }

    String testImages() {
      return prefix + test + "-images-idx3-ubyte";
    }

    String testLabels() {
      return prefix + test + "-labels-" + labels;
    }

    List<String> files(boolean withTraining) {
      return withTraining
          ? List.of(trainImages(), trainLabels(), testImages(), testLabels())
          : List.of(testImages(), testLabels());
    }
  }

  /**
   * The deepest level that is searched: {@code archive/MNIST/raw} is 3 below the folder that is
   * named.
   */
  private static final int DEEPEST = 3;

  /**
   * The most folders that are searched at one level, so that the search of a home folder ends
   * within seconds.
   */
  private static final int MOST_FOLDERS = 1000;

  // All four files must lie in one folder and have one prefix, so that images of one data set are
  // never paired with labels of another.
  private final Path place;
  private final Names names;

  private IdxFolder(Path place, Names names) {
    this.place = place;
    this.names = names;
  }

  /**
   * Reads the training and the test set of a folder.
   *
   * @param folder the folder that the user named; also the data set's name. Where one folder holds
   *     several data sets, {@code folder/emnist-letters} is the one whose files' names begin so
   * @param classes the number of classes; empty: one more than the largest training label
   * @throws BadFileException if a file is missing, bad, or does not fit the others
   */
  public static LabelledData read(Path folder, OptionalInt classes) {
    return read(folder.toString(), folder, classes);
  }

  /** Reads the training and the test set of a data set with the given name. */
  static LabelledData read(String name, Path folder, OptionalInt classes) {
    IdxFolder found = find(folder, true);
    Path trainImages = found.file(found.names.trainImages());
    Path trainLabels = found.file(found.names.trainLabels());
    ExampleSet train = split(trainImages, trainLabels);
    int c = classes.isPresent() ? classes.getAsInt() : 1 + train.largestLabel();
    checkLabels(trainLabels, train, c);
    Path testImages = found.file(found.names.testImages());
    Path testLabels = found.file(found.names.testLabels());
    ExampleSet test = split(testImages, testLabels);
    if (!test.layout().equals(train.layout())) {
      throw new BadFileException(
          "%s: images must be %s as in %s, found %s"
              .formatted(testImages, train.layout(), trainImages.getFileName(), test.layout()));
    }
    checkLabels(testLabels, test, c);
    return LabelledData.numbered(name, c, train, test);
  }

  /**
   * Reads the test set alone; the two training files may be missing.
   *
   * @param folder the folder that the user named
   * @param classes the number of classes
   * @throws BadFileException if a file is missing, bad, or holds a label beyond the classes
   */
  public static ExampleSet readTest(Path folder, int classes) {
    IdxFolder found = find(folder, false);
    Path labels = found.file(found.names.testLabels());
    ExampleSet test = split(found.file(found.names.testImages()), labels);
    checkLabels(labels, test, classes);
    return test;
  }

  /**
   * Whether a folder has IDX files of EMNIST's names: its images are published with rows and
   * columns exchanged.
   */
  public static boolean isEmnist(Path folder) {
    try {
      return find(folder, true).names.prefix().startsWith("emnist-");
    } catch (BadFileException e) {
      return false; // the examples are no IDX files
    }
  }

  /**
   * The files of a data set, each plain or gzip.
   *
   * @param trainImages the images of the training set
   * @param trainLabels the labels of the training set
   * @param testImages the images of the test set
   * @param testLabels the labels of the test set
   */
  public record FourFiles(Path trainImages, Path trainLabels, Path testImages, Path testLabels) {}

  /**
   * Finds the files of a data set, whatever the type of their elements.
   *
   * @param folder the folder that the user named
   * @throws BadFileException if there is no data set, or there are several
   */
  public static FourFiles files(Path folder) {
    IdxFolder found = find(folder, true);
    return new FourFiles(
        found.file(found.names.trainImages()),
        found.file(found.names.trainLabels()),
        found.file(found.names.testImages()),
        found.file(found.names.testLabels()));
  }

  /**
   * Finds the data set in {@code folder} or, if there is none, in the folders below, level by
   * level.
   */
  private static IdxFolder find(Path folder, boolean withTraining) {
    Path top = folder;
    List<Names> wanted = Names.ALL;
    if (!Files.exists(folder)) {
      wanted = named(folder);
      top = folder.toAbsolutePath().getParent();
    }
    checkFolder(top);
    var partly = new ArrayList<IdxFolder>();
    var others = new OtherFormats();
    List<Path> level = List.of(top);
    for (int depth = 0; depth <= DEEPEST; depth++) {
      var complete = new ArrayList<IdxFolder>();
      for (Path place : level) {
        for (Names names : wanted) {
          var found = new IdxFolder(place, names);
          int missing = found.missing(withTraining).size();
          if (missing == 0) {
            complete.add(found);
          } else if (missing < names.files(withTraining).size()) {
            partly.add(found);
          }
        }
      }
      // The folder's own name chooses its files without a prefix where the folder holds several
      // data sets.
      boolean named = depth == 0 && !complete.isEmpty() && complete.get(0).hasNoPrefix();
      if (complete.size() == 1 || named) {
        return complete.get(0);
      }
      if (complete.size() > 1) {
        throw several(folder, complete);
      }
      level = below(level, others);
    }
    if (partly.isEmpty()) {
      throw new BadFileException(
          "%s: %s; %s".formatted(folder, others.found(top), others.advice()));
    }
    IdxFolder found = partly.get(0);
    throw new BadFileException(
        "%s: %s missing, plain and .gz, beside the other files of the data set"
            .formatted(found.place, allOf(found.missing(withTraining))));
  }

  /**
   * Returns the naming that the last part of a path chooses, where the path itself is no folder.
   */
  private static List<Names> named(Path folder) {
    String prefix = folder.getFileName() + "-";
    List<Names> named = Names.ALL.stream().filter(n -> n.prefix().equals(prefix)).toList();
    if (named.isEmpty()) {
      throw new BadFileException(folder + ": no such folder");
    }
    return named;
  }

  private static void checkFolder(Path folder) {
    if (!Files.isDirectory(folder)) {
      var format = new OtherFormats();
      format.see(folder);
      throw new BadFileException(
          "%s: this is %s; %s"
              .formatted(
                  folder,
                  Files.isRegularFile(folder) ? FileKind.of(folder) : "no folder",
                  format.advice()));
    }
    if (!Files.isReadable(folder) || !Files.isExecutable(folder)) {
      throw new BadFileException(folder + ": cannot be read: permission denied");
    }
  }

  private static BadFileException several(Path folder, List<IdxFolder> complete) {
    String choices = complete.stream().map(IdxFolder::toString).collect(Collectors.joining(", "));
    return new BadFileException(
        "%s: %d data sets are here, name one of them: %s"
            .formatted(folder, complete.size(), choices));
  }

  private boolean hasNoPrefix() {
    return names.prefix().isEmpty();
  }

  /** Returns the path for which {@link #read} reads this data set alone. */
  @Override
  public String toString() {
    String prefix = names.prefix();
    return hasNoPrefix()
        ? place.toString()
        : place.resolve(prefix.substring(0, prefix.length() - 1)).toString();
  }

  /** Lists the folders below the folders of a level, and notes files of other formats in them. */
  private static List<Path> below(List<Path> level, OtherFormats others) {
    var folders = new ArrayList<Path>();
    for (Path folder : level) {
      try (Stream<Path> entries = Files.list(folder)) {
        for (Path entry : entries.sorted().toList()) {
          if (!Files.isDirectory(entry)) {
            others.see(entry);
          } else if (folders.size() < MOST_FOLDERS) {
            folders.add(entry);
          }
        }
      } catch (IOException | UncheckedIOException e) {
        // A folder that cannot be listed is skipped: no file in it could be read.
      }
    }
    return folders;
  }

  private static String allOf(List<String> names) {
    return String.join(", ", names) + (names.size() == 1 ? " is" : " are");
  }

  private List<String> missing(boolean withTraining) {
    return names.files(withTraining).stream().filter(name -> existing(name).isEmpty()).toList();
  }

  /** Finds the file {@code name} in one of its spellings, or in a folder of that name. */
  private Optional<Path> existing(String name) {
    String dotted = name.replace("-idx", ".idx");
    for (String spelling : List.of(name, dotted, name + ".gz", dotted + ".gz")) {
      for (String holder : List.of("", name, dotted)) {
        Path file = place.resolve(holder).resolve(spelling);
        if (Files.exists(file) && !Files.isDirectory(file)) {
          return Optional.of(file);
        }
      }
    }
    return Optional.empty();
  }

  /** Returns a file that {@link #missing} has not reported. */
  private Path file(String name) {
    return existing(name).orElseThrow();
  }

  private static ExampleSet split(Path imageFile, Path labelFile) {
    IdxFile.Images images = IdxFile.readImages(imageFile);
    byte[] labels = IdxFile.readLabels(labelFile);
    if (labels.length != images.count()) {
      throw new BadFileException(
          "%s: must hold one label for each of the %d images of %s, found %d"
              .formatted(labelFile, images.count(), imageFile.getFileName(), labels.length));
    }
    return ExampleSet.images(images.rows(), images.cols(), images.pixels(), labels);
  }

  private static void checkLabels(Path file, ExampleSet set, int classes) {
    byte[] labels = set.labels();
    for (int i = 0; i < labels.length; i++) {
      if ((labels[i] & 0xff) >= classes) {
        throw new BadFileException(
            "%s: labels must be below %d, found %d at index %d"
                .formatted(file, classes, labels[i] & 0xff, i));
      }
    }
  }
}
