package mlpcuda.cli;

import java.nio.file.Path;
import java.util.OptionalInt;
import mlpcuda.data.IdxFolder;
import mlpcuda.data.LabelledData;
import mlpcuda.data.PublishedDataset;
import mlpcuda.preparation.ExampleForm;
import mlpcuda.preparation.ImageForm;
import mlpcuda.run.DataChoice;
import mlpcuda.run.DataSource;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * The options that say where the images come from: the MNIST in the jar unless an option says
 * otherwise.
 */
final class DataOptions {
  @Spec(Spec.Target.MIXEE)
  private CommandSpec spec;

  @Option(
      names = "--data",
      paramLabel = "DIR",
      description =
          "Folder with the four IDX files, plain or .gz, under the names of MNIST, QMNIST or"
              + " EMNIST, also in folders below. Of several data sets in one folder,"
              + " DIR/emnist-letters is the one whose files begin so. Default: the MNIST in the"
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
      return new DataSource.Folder(
          data, classes == null ? OptionalInt.empty() : OptionalInt.of(classes));
    }
    return dataset != null ? new DataSource.Published(dataset) : new DataSource.Embedded();
  }

  /** The examples that the options name. */
  DataChoice choice(OptionalInt subset) {
    return new DataChoice(source(), transpose(), subset);
  }

  /** The examples of a run that goes on, where the options say that they are now. */
  DataChoice changed(DataChoice former) {
    if (!isGiven()) {
      return former;
    }
    DataSource source = source();
    if (source instanceof DataSource.Folder folder
        && former.source() instanceof DataSource.Folder before) {
      source = new DataSource.Folder(folder.path(), before.classes());
    }
    return new DataChoice(source, former.transposed(), former.subset());
  }

  /** Loads the data set, fetching it first if it is asked for and missing. */
  LabelledData load(Terminal terminal) {
    if (transpose == null && data != null && IdxFolder.isEmnist(data)) {
      terminal.line("EMNIST's images are stored transposed; --transpose turns them upright.");
    }
    return load(choice(OptionalInt.empty()), terminal);
  }

  /** Loads that data set, showing its downloads. */
  static LabelledData load(DataChoice choice, Terminal terminal) {
    try (var downloads = terminal.downloads()) {
      return choice.load(downloads);
    }
  }

  private ParameterException refused(String message) {
    return new ParameterException(spec.commandLine(), message);
  }
}
