package mlpcuda.cli;

import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;
import mlpcuda.data.ExampleSet;
import mlpcuda.data.IdxFolder;
import mlpcuda.data.LabelledData;
import mlpcuda.data.PublishedDataset;
import mlpcuda.input.DataReader;
import mlpcuda.preparation.ExampleForm;
import mlpcuda.preparation.ImageForm;
import mlpcuda.run.DataChoice;
import mlpcuda.run.DataSource;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * The options that say where the examples come from: the MNIST in the jar unless an option says
 * otherwise.
 */
final class DataOptions {
  @Spec(Spec.Target.MIXEE)
  private CommandSpec spec;

  @Option(
      names = "--data",
      paramLabel = "PATH",
      description =
          "Examples: a table (.csv, .tsv), NumPy's arrays (.npz, .npy), LIBSVM's lines, or a folder"
              + " of these, of pictures in a folder for each class, or of the four IDX files of"
              + " MNIST, QMNIST or EMNIST. Of several IDX data sets in one folder,"
              + " PATH/emnist-letters is the one whose files begin so. Default: the MNIST in the"
              + " jar.")
  private Path data;

  @Option(
      names = "--dataset",
      paramLabel = "NAME",
      converter = Converters.DatasetName.class,
      description =
          "A published data set, fetched once into the cache folder: mnist, fashion-mnist or"
              + " kmnist.")
  private PublishedDataset dataset;

  @Option(
      names = "--classes",
      paramLabel = "C",
      converter = Converters.Positive.class,
      description =
          "Number of classes of --data. Default: one more than the training set's largest label.")
  private Integer classes;

  @Option(
      names = "--transpose",
      negatable = true,
      description =
          "Exchange rows and columns of every image, or do not: EMNIST's are stored transposed."
              + " Default: do not; with a model, as its training images were.")
  private Boolean transpose; // null: neither form of the option is given

  @Mixin private ReadingOptions reading = new ReadingOptions();

  /** Whether rows and columns of the images are exchanged. */
  boolean transpose() {
    return Boolean.TRUE.equals(transpose);
  }

  /**
   * Transposes images if a model's training images were transposed, unless an option says
   * otherwise.
   */
  void takeAs(ExampleForm learnt, Terminal terminal) {
    if (transpose == null && learnt instanceof ImageForm images && images.transposed()) {
      transpose = true;
      terminal.line(
          "The images are transposed, as the model says; --no-transpose reads them as they are.");
    }
  }

  /** Refuses options that can be refused before any file is read. */
  void check() {
    if (data != null && dataset != null) {
      throw refused("--data and --dataset exclude each other, found both");
    }
    if (classes != null && data == null) {
      throw refused("--classes needs --data, found --classes " + classes + " alone");
    }
    if (data == null && !reading.areDefault()) {
      throw refused("the options of reading files, such as --format and --label, need --data");
    }
    if (classes != null && classes > 256) {
      throw refused(
          "Invalid value for option '--classes': must be at most 256, as labels are bytes; found "
              + classes);
    }
  }

  /** Whether an option says where the images come from. */
  boolean isGiven() {
    return data != null || dataset != null;
  }

  /** Where the images come from. */
  private DataSource source() {
    if (data != null) {
      return new DataSource.Files(
          data, classes == null ? OptionalInt.empty() : OptionalInt.of(classes), reading.options());
    }
    return dataset != null ? new DataSource.Published(dataset) : new DataSource.Embedded();
  }

  /**
   * The examples that the options name.
   *
   * @param testAmount the examples that are held back for the test: see {@link DataChoice}
   */
  DataChoice choice(OptionalInt subset, double testAmount) {
    return new DataChoice(source(), transpose(), subset, testAmount);
  }

  /** The examples of a run that goes on, where the options say that they are now. */
  DataChoice changed(DataChoice former) {
    if (!isGiven()) {
      return former;
    }
    DataSource source = source();
    if (source instanceof DataSource.Files files
        && former.source() instanceof DataSource.Files before) {
      source = new DataSource.Files(files.path(), before.classes(), before.options());
    }
    return former.from(source);
  }

  /** Loads the data set, fetching it first if it is asked for and missing. */
  LabelledData load(Terminal terminal) {
    LabelledData read = load(choice(OptionalInt.empty(), DataChoice.USUAL_TEST), terminal);
    if (transpose == null && data != null && IdxFolder.isEmnist(data)) {
      terminal.line("EMNIST's images are stored transposed; --transpose turns them upright.");
    }
    return read;
  }

  /**
   * Loads the examples that a network is evaluated on: IDX files as {@link #load(Terminal)} does,
   * and of other files the test set, or all examples where they have none.
   *
   * @param form the examples that the network takes
   * @param classes the number of its classes
   */
  LabelledData loadFor(ExampleForm form, int classes, Terminal terminal) {
    if (data == null || DataReader.isUsualIdx(data, reading.options())) {
      return load(terminal);
    }
    var known = KnownData.read(data, form, reading.options(), transpose(), terminal);
    ExampleSet set = known.labelled(classes);
    if (!known.isTest()) {
      terminal.line("%s has no test set: all %d examples are evaluated.", data, set.size());
    }
    return new LabelledData(
        data.toString(), form.names(classes), set, Optional.of(set), Optional.empty());
  }

  /** Loads that data set, showing how far its loading has come. */
  static LabelledData load(DataChoice choice, Terminal terminal) {
    try (var loading = terminal.loading()) {
      return choice.load(loading);
    }
  }

  private ParameterException refused(String message) {
    return new ParameterException(spec.commandLine(), message);
  }
}
