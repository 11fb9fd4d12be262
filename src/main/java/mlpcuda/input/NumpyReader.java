package mlpcuda.input;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import mlpcuda.data.LabelColumn;
import mlpcuda.data.Part;
import mlpcuda.error.BadFileException;
import mlpcuda.features.Features.Type;
import mlpcuda.files.OneLine;
import mlpcuda.files.Reason;
import mlpcuda.input.ArrayFeatures.Inputs;

/**
 * Reads examples from NumPy's arrays: an archive, {@code .npz}, a folder of {@code .npy} files, or
 * one {@code .npy} file, beside which that of its labels may lie. Names such as {@code x_train} and
 * {@code y_train} tell features from labels and the sets from each other.
 */
public final class NumpyReader {
  /**
   * The names of the arrays of one set.
   *
   * @param features the name of the features
   * @param labels the name of the labels
   */
  private record Names(String features, String labels) {
    /** The names that are searched for, the most usual ones first. */
    static final List<Names> ALL =
        List.of(
            new Names("x_train", "y_train"), // Keras
            new Names("X_train", "y_train"),
            new Names("X_train", "Y_train"),
            new Names("train_images", "train_labels"), // MedMNIST
            new Names("training_images", "training_labels"),
            new Names("train_x", "train_y"),
            new Names("train_X", "train_y"),
            new Names("train_data", "train_labels"),
            new Names("x", "y"),
            new Names("X", "y"),
            new Names("X", "Y"),
            new Names("data", "target"),
            new Names("data", "labels"),
            new Names("images", "labels"),
            new Names("features", "labels"),
            new Names("x_test", "y_test"),
            new Names("X_test", "y_test"),
            new Names("test_images", "test_labels"),
            new Names("arr_0", "arr_1")); // numpy.savez without names

    /** The names of another set beside this one, whose names contain {@code train}. */
    Optional<Names> other(Set<String> there, String... words) {
      for (String word : words) {
        String other = features.replaceFirst("train(ing)?", word);
        if (!other.equals(features) && there.contains(other)) {
          return Optional.of(new Names(other, labels.replaceFirst("train(ing)?", word)));
        }
      }
      return Optional.empty();
    }
  }

  private final NpyArrays arrays;
  private final ReadOptions options;
  private final ReadingProgress progress;

  private NumpyReader(NpyArrays arrays, ReadOptions options, ReadingProgress progress) {
    this.arrays = arrays;
    this.options = options;
    this.progress = progress;
  }

  /**
   * Reads an archive, an array or a folder of arrays. Where the options name the training set's
   * arrays, the names of the others are the same with {@code test}, {@code val}, {@code valid} or
   * {@code validation} in place of {@code train}.
   *
   * @param path the file or folder
   * @param progress is told the rows of each array
   * @throws BadFileException if an array is missing, malformed, or does not fit the others
   */
  public static Parts read(Path path, ReadOptions options, ReadingProgress progress) {
    if (Files.isDirectory(path)) {
      return readFolder(path, options, progress);
    }
    if (!Files.isRegularFile(path)) {
      throw new BadFileException(
          path + (Files.exists(path) ? ": must be a file or a folder" : ": no such file"));
    }
    if (startsAsZip(path)) {
      return readArchive(path, options, progress);
    }
    return readArray(path, options, progress);
  }

  private static boolean startsAsZip(Path file) {
    try (var in = Files.newInputStream(file)) {
      return new String(in.readNBytes(2), StandardCharsets.ISO_8859_1).equals("PK");
    } catch (IOException e) {
      throw Reason.unreadable(file, e);
    }
  }

  private static Parts readArchive(Path file, ReadOptions options, ReadingProgress progress) {
    try (NpyArrays arrays = NpyArrays.ofArchive(file)) {
      var reader = new NumpyReader(arrays, options, progress);
      return reader.sets(reader.names());
    }
  }

  private static Parts readFolder(Path folder, ReadOptions options, ReadingProgress progress) {
    try (NpyArrays arrays = NpyArrays.ofFolder(folder)) {
      if (arrays.names().isEmpty()) {
        return readArchive(onlyArchive(folder), options, progress);
      }
      var reader = new NumpyReader(arrays, options, progress);
      return reader.sets(reader.names());
    }
  }

  private static Path onlyArchive(Path folder) {
    try (Stream<Path> files = Files.list(folder)) {
      List<Path> archives =
          files
              .filter(f -> f.getFileName().toString().toLowerCase(Locale.ROOT).endsWith(".npz"))
              .sorted()
              .toList();
      if (archives.size() != 1) {
        throw new BadFileException(
            archives.isEmpty()
                ? folder + ": no NumPy arrays are here"
                : "%s: %d NumPy archives are here, name one of them"
                    .formatted(folder, archives.size()));
      }
      return archives.get(0);
    } catch (IOException e) {
      throw Reason.unreadable(folder, e);
    } catch (UncheckedIOException e) {
      throw Reason.unreadable(folder, e.getCause());
    }
  }

  /** Reads one array of features, and that of its labels if it lies beside. */
  private static Parts readArray(Path file, ReadOptions options, ReadingProgress progress) {
    String fileName = file.getFileName().toString();
    String name =
        fileName.toLowerCase(Locale.ROOT).endsWith(".npy") ? NpyArrays.stem(fileName) : fileName;
    Path folder = file.toAbsolutePath().getParent();
    try (NpyArrays beside = NpyArrays.ofFolder(folder)) {
      Set<String> there = beside.names();
      Optional<String> labels =
          options
              .arrays()
              .labels()
              .or(
                  () ->
                      Names.ALL.stream()
                          .filter(n -> n.features().equals(name) && there.contains(n.labels()))
                          .map(Names::labels)
                          .findFirst());
      var reader = new NumpyReader(beside, options, progress);
      NumberArray features = NpyArrays.inFile(file);
      return Parts.of(reader.part(features, labels.map(reader::array), Optional.empty()));
    }
  }

  private Parts sets(Names names) {
    Set<String> there = arrays.names();
    Part train = part(names, Optional.empty());
    Optional<Part> like = Optional.of(train);
    return new Parts(
        train,
        names.other(there, "test").map(n -> part(n, like)),
        names.other(there, "val", "valid", "validation").map(n -> part(n, like)),
        List.of());
  }

  /** Finds the names of the training set, or of the only set. */
  private Names names() {
    Set<String> there = arrays.names();
    Optional<String> features = options.arrays().features();
    Optional<String> labels = options.arrays().labels();
    if (features.isPresent() && labels.isPresent()) {
      return new Names(features.get(), labels.get());
    }
    for (Names names : Names.ALL) {
      String x = features.orElse(names.features());
      String y = labels.orElse(names.labels());
      if (there.contains(x) && there.contains(y) && !x.equals(y)) {
        return new Names(x, y);
      }
    }
    if (features.isPresent() || there.size() == 1) { // an array without labels
      return new Names(features.orElseGet(() -> there.iterator().next()), "");
    }
    for (Names names : Names.ALL) {
      if (there.contains(names.features())) {
        return names; // the array of labels is missing, which the message will say
      }
    }
    throw new BadFileException(
        "%s: features and labels must be named as x_train and y_train, x and y or the like; the"
                .formatted(arrays.place())
            + " arrays are "
            + OneLine.orNothing(OneLine.start(String.join(", ", there), 200)));
  }

  private Part part(Names names, Optional<Part> like) {
    Optional<NumberArray> labels =
        names.labels().isEmpty() ? Optional.empty() : Optional.of(array(names.labels()));
    return part(array(names.features()), labels, like);
  }

  private NumberArray array(String name) {
    Set<String> there = arrays.names();
    if (!there.contains(name)) {
      throw new BadFileException(
          "%s: the array %s is missing; the arrays are %s"
              .formatted(
                  arrays.place(),
                  OneLine.of(name),
                  OneLine.orNothing(OneLine.start(String.join(", ", there), 200))));
    }
    return arrays.get(name);
  }

  /** Reads a set whose inputs must be {@code like} those of the training set. */
  private Part part(NumberArray features, Optional<NumberArray> labels, Optional<Part> like) {
    labels.ifPresent(l -> checkRows(features, l));
    Inputs inputs =
        ArrayFeatures.of(
            features,
            options.images(),
            like.isPresent() && like.get().features().type() == Type.FLOAT32,
            progress);
    like.ifPresent(train -> checkLike(train, features, inputs));
    Optional<LabelColumn> column = labels.map(l -> ArrayLabels.of(l, progress));
    return new Part(features.name(), inputs.layout(), inputs.features(), column);
  }

  private static void checkRows(NumberArray features, NumberArray labels) {
    if (features.shape().length > 0
        && labels.shape().length > 0
        && features.rows() != labels.rows()) {
      throw labels.bad(
          "must hold one label for each of the %,d rows of the features, found %,d"
              .formatted(features.rows(), labels.rows()));
    }
  }

  private static void checkLike(Part train, NumberArray features, Inputs inputs) {
    if (!inputs.layout().equals(train.layout())) {
      throw features.bad(
          "must have %,d values a row in the shape of the training set's, found the shape %s"
              .formatted(train.layout().inputs(), features.shapeText()));
    }
    if (inputs.features().type() != train.features().type()) {
      throw features.bad("must hold integers from 0 to 255 as the training set does");
    }
  }
}
