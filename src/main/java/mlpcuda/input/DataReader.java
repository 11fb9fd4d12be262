package mlpcuda.input;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Consumer;
import mlpcuda.data.ExampleSet;
import mlpcuda.data.IdxFolder;
import mlpcuda.data.LabelColumn;
import mlpcuda.data.LabelledData;
import mlpcuda.data.Layout;
import mlpcuda.data.Part;
import mlpcuda.error.BadFileException;
import mlpcuda.features.Features;
import mlpcuda.files.CacheFolder;
import mlpcuda.input.ReadOptions.Format;
import mlpcuda.preparation.ExampleForm;
import mlpcuda.preparation.ImageForm;

/** Reads examples of any format: tables, arrays, folders of pictures, IDX files. */
public final class DataReader {
  private final Path path;
  private final ReadOptions options;
  private final ReadingProgress progress;

  private DataReader(Path path, ReadOptions options, ReadingProgress progress) {
    this.path = path;
    this.options = options;
    this.progress = progress;
  }

  /**
   * Reads a data set to learn from.
   *
   * @param path the file or folder; also the data set's name
   * @param classes the number of classes, where labels are numbers; empty: the training set's
   *     labels tell it
   * @param progress is told how far the reading has come
   * @param notes takes sentences that a user should see
   * @throws BadFileException if a file is missing, malformed, or does not fit the others
   */
  public static LabelledData read(
      Path path,
      OptionalInt classes,
      ReadOptions options,
      ReadingProgress progress,
      Consumer<String> notes) {
    Format format = format(path, options);
    if (format == Format.IDX && IdxReader.isUsual(path)) {
      return IdxFolder.read(path, classes);
    }
    var reader = new DataReader(path, options, progress);
    Parts parts = reader.cached(format);
    parts.warnings().forEach(notes);
    return assemble(path.toString(), classes, parts, notes);
  }

  /**
   * The parts that were read before from the same files, or that are read now. Arrays of NumPy and
   * of IDX files are not kept: reading them is no slower.
   */
  private Parts cached(Format format) {
    boolean slow = Set.of(Format.CSV, Format.LIBSVM, Format.PICTURES).contains(format);
    if (!slow || options.images().skipBad()) { // the pictures that are left out must be told again
      return parts(format, Optional.empty(), true);
    }
    try {
      return new PartCache(CacheFolder.examples(), PartCache.LEAST_BYTES)
          .get(PartCache.key(path, options), () -> parts(format, Optional.empty(), true));
    } catch (IOException e) {
      return parts(format, Optional.empty(), true); // the reader says what is wrong with the files
    }
  }

  private static Format format(Path path, ReadOptions options) {
    return options.format().orElseGet(() -> Recognition.of(path));
  }

  /** Whether the path is of IDX files that {@link IdxFolder} reads, or of no files at all. */
  public static boolean isUsualIdx(Path path, ReadOptions options) {
    Format format = format(path, options);
    return format == Format.IDX && IdxReader.isUsual(path);
  }

  /**
   * Reads examples as they lie in their files, which need no labels.
   *
   * @param path the file or folder
   * @param progress is told how far the reading has come
   * @throws BadFileException if a file is missing or malformed
   */
  public static Found find(Path path, ReadOptions options, ReadingProgress progress) {
    Format format = format(path, options);
    var reader = new DataReader(path, options, progress);
    return new Found(format, reader.parts(format, Optional.empty(), false));
  }

  /**
   * What a path holds.
   *
   * @param format the format that was recognised or given
   * @param parts the sets of examples
   */
  public record Found(Format format, Parts parts) {
    /**
     * The classes of the training set in the order of a network's outputs; empty where it has no
     * labels.
     *
     * @throws BadFileException if there are more than a network can have
     */
    public List<String> classes() {
      Part train = parts.train();
      return train
          .labels()
          .map(labels -> ClassNames.of(train.name(), labels.names()).names())
          .orElse(List.of());
    }
  }

  /**
   * Reads examples that a network is to answer: the test set where the path holds one, else all.
   *
   * @param form the examples that the network takes
   * @param progress is told how far the reading has come
   * @param notes takes sentences that a user should see
   * @throws BadFileException if a file is missing, malformed, or does not fit the network
   */
  public static Answerable readFor(
      Path path,
      ExampleForm form,
      ReadOptions options,
      ReadingProgress progress,
      Consumer<String> notes) {
    Format format = format(path, options);
    var reader = new DataReader(path, options, progress);
    Parts parts = reader.parts(format, Optional.of(form.layout()), false);
    parts.warnings().forEach(notes);
    Part part = parts.test().orElse(parts.train());
    checkLayout(part, form.layout());
    checkType(part, form);
    return new Answerable(part, parts.test().isPresent(), form.labels());
  }

  /** Refuses pixels of another range than those that the network learnt from. */
  private static void checkType(Part part, ExampleForm form) {
    boolean bytes = part.features().type() == Features.Type.UINT8;
    if (form.layout() instanceof Layout.Images && bytes != form instanceof ImageForm) {
      throw new BadFileException(
          "%s: the pixels must be %s as those of the network's training images, found %s"
              .formatted(part.name(), bytes ? "floats" : "bytes", bytes ? "bytes" : "floats"));
    }
  }

  /**
   * Examples that a network is to answer.
   *
   * @param part the examples, perhaps without labels
   * @param isTest whether they are a test set of their own; if not, they are all that the path has
   * @param classes the names of the network's classes; empty where they have none but their numbers
   */
  public record Answerable(Part part, boolean isTest, List<String> classes) {
    /**
     * The examples with their labels, which must be among the network's classes.
     *
     * @param count the number of the network's classes
     * @throws BadFileException if they have none, or one that the network does not know
     */
    public ExampleSet labelled(int count) {
      ClassNames names = classes.isEmpty() ? ClassNames.numbered(count) : ClassNames.known(classes);
      return set(part, names);
    }
  }

  private Parts parts(Format format, Optional<Layout> known, boolean labelled) {
    return switch (format) {
      case IDX -> IdxReader.read(path, options, progress);
      case NUMPY -> NumpyReader.read(path, options, progress);
      case PICTURES -> PictureFolder.read(path, options, progress);
      case CSV -> tables(TableFiles.of(path, Recognition.CSV), known, labelled, this::csv);
      case LIBSVM -> tables(TableFiles.of(path, Recognition.LIBSVM), known, labelled, this::libsvm);
    };
  }

  /** Reads a table, whose columns are those of the training set where they are known. */
  private interface TableReader {
    Part read(Path file, Optional<Layout> known, boolean labelled);
  }

  private static Parts tables(
      TableFiles files, Optional<Layout> known, boolean labelled, TableReader reader) {
    if (known.isPresent()) { // the training set, if there is one, is not asked for
      Part part = reader.read(files.test().orElse(files.train()), known, false);
      return new Parts(part, files.test().map(file -> part), Optional.empty(), List.of());
    }
    Part train = reader.read(files.train(), Optional.empty(), labelled);
    Optional<Layout> columns = Optional.of(train.layout());
    return new Parts(
        train,
        files.test().map(file -> reader.read(file, columns, false)),
        files.validation().map(file -> reader.read(file, columns, labelled)),
        List.of());
  }

  private Part csv(Path file, Optional<Layout> known, boolean labelled) {
    return CsvFile.read(file, options, known, labelled, progress);
  }

  private Part libsvm(Path file, Optional<Layout> known, boolean labelled) {
    Optional<Layout.Columns> columns =
        known.filter(Layout.Columns.class::isInstance).map(Layout.Columns.class::cast);
    return LibsvmReader.read(file, columns, progress);
  }

  private static LabelledData assemble(
      String name, OptionalInt classes, Parts parts, Consumer<String> notes) {
    Part train = parts.train();
    List<String> found = labels(train).names();
    ClassNames names =
        classes.isPresent()
            ? ClassNames.numbered(classes.getAsInt())
            : ClassNames.of(train.name(), found);
    Optional<Part> test = parts.test();
    if (test.isPresent() && test.get().labels().isEmpty()) {
      notes.accept(test.get().name() + ": this file has no labels, and so it is no test set");
      test = Optional.empty();
    }
    test.ifPresent(part -> checkLayout(part, train.layout()));
    parts.validation().ifPresent(part -> checkLayout(part, train.layout()));
    return new LabelledData(
        name,
        names.names(),
        set(train, names),
        test.map(part -> set(part, names)),
        parts.validation().map(part -> set(part, names)));
  }

  private static void checkLayout(Part part, Layout expected) {
    if (!part.layout().equals(expected)) {
      throw new BadFileException(
          "%s: the examples must be of %s as the training set's, found %s"
              .formatted(part.name(), expected, part.layout()));
    }
  }

  private static LabelColumn labels(Part part) {
    return part.labels()
        .orElseThrow(
            () -> new BadFileException(part.name() + ": the examples have no labels to learn"));
  }

  private static ExampleSet set(Part part, ClassNames names) {
    byte[] codes = names.codes(part.name(), labels(part));
    return new ExampleSet(part.layout(), part.features(), codes, part.weights());
  }
}
