package mlpcuda.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import mlpcuda.error.BadFileException;
import mlpcuda.files.InputFile;
import mlpcuda.files.WholeFile;
import mlpcuda.model.Committee;
import mlpcuda.picture.Picture;
import mlpcuda.picture.PictureFile;
import mlpcuda.preparation.ImageForm;
import mlpcuda.preparation.Preparation;
import mlpcuda.preparation.Prepared;
import mlpcuda.report.Png;
import mlpcuda.report.Printable;
import mlpcuda.report.Tables;
import mlpcuda.train.AveragedPredictor;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code predict}: predicts the classes of pictures and rows with a saved network. */
@Command(
    name = "predict",
    description = "Says what a saved network takes pictures, or rows of numbers, for.",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    sortOptions = false)
final class PredictCommand implements Callable<Integer> {
  /** The greatest number of characters that --show takes from a picture's file name. */
  private static final int MAX_NAME = 100;

  @Spec private CommandSpec spec;

  @Option(
      names = "--model",
      paramLabel = "FILE",
      required = true,
      description = "A model.safetensors that training wrote.")
  private Path model;

  @CommandLine.Parameters(
      paramLabel = "IMAGE",
      arity = "0..*",
      description = "PNG, JPEG, GIF, BMP, TIFF, WebP, PGM or IDX files; - is standard input.")
  private List<Path> files = List.of();

  @Mixin private RowPredictions rows = new RowPredictions();

  @Option(
      names = "--index",
      paramLabel = "I",
      converter = IndexRange.Text.class,
      description = "Of IDX files only this image, or these: 0..9. The first is 0. Default: all.")
  private IndexRange index;

  @Mixin private PreparationOption prepare = new PreparationOption();

  @Option(
      names = "--raw",
      description =
          "Take the pictures exactly as they are; they must have the size of the network's images.")
  private boolean raw;

  @Option(
      names = "--transpose",
      negatable = true,
      description =
          "Exchange rows and columns of the images of IDX files and of --data, or do not. Default: as"
              + " the model says that its training images were.")
  private Boolean transpose;

  @Option(
      names = "--show",
      paramLabel = "DIR",
      description = "Save each picture as the network saw it, as a PNG in that folder.")
  private Path show;

  @Option(
      names = "--json",
      description = "Print the answers as JSON on standard output, all else on standard error.")
  private boolean json;

  @Mixin private DeviceOptions device = new DeviceOptions();

  private ImageForm form; // the model's, with the preparation of --prepare
  private boolean transposed; // whether images of IDX files are
  private OpenDevice answering;
  private PictureQueue queue;
  private int read; // the number of pictures read or refused so far

  @Override
  public Integer call() {
    device.check();
    rows.check(model, !files.isEmpty(), index != null || raw || show != null || prepare.isGiven());
    if (rows.isGiven()) {
      rows.answer(Committee.read(model), model, transpose, device, json);
      return 0;
    }
    if (files.isEmpty()) {
      throw refused("Missing required parameter: 'IMAGE', or --data");
    }
    if (raw && prepare.isGiven()) {
      throw refused("--raw and --prepare exclude each other, found both");
    }
    if (Stream.concat(Stream.of(model), files.stream()).filter(InputFile::isStandardInput).count()
        > 1) {
      throw refused("- is standard input, which can be read only once; it is named more than once");
    }
    Committee file = Committee.read(model);
    form = prepare.of(file.form().images(model));
    transposed = transpose != null ? transpose : form.transposed();
    makeFolder();
    String what = model + ": " + file.description();
    int batch = PictureQueue.batch(file.shape());
    try (OpenDevice opened = device.open();
        var network =
            new AveragedPredictor(opened.ops(), file.passes(), form.scaling(), batch, what)) {
      answering = opened;
      queue =
          new PictureQueue(
              network,
              batch,
              raw ? form.with(Preparation.AS_IS) : form,
              json,
              spec.commandLine(),
              this::sayHow);
      for (Path pictures : files) {
        read(pictures);
      }
      queue.answer();
    }
    if (json) {
      spec.commandLine().getOut().println(Tables.json(queue.json()));
    }
    return queue.failed() > 0 ? ExitCode.FILE.code : 0;
  }

  private void read(Path file) {
    PictureFile pictures;
    try {
      pictures = PictureFile.read(file);
    } catch (BadFileException e) {
      add(file, null, null, e.getMessage());
      return;
    }
    if (index != null && !pictures.isIdx()) {
      throw refused("--index is of IDX files, found " + file);
    }
    if (index != null && index.last() >= pictures.count()) {
      throw refused(
          "Invalid value for option '--index': must be below the %d images of %s, found %d"
              .formatted(pictures.count(), file, index.last()));
    }
    int first = index == null ? 0 : index.first();
    int last = index == null ? pictures.count() - 1 : index.last();
    for (int i = first; i <= last; i++) {
      Prepared prepared = null;
      String error = null;
      try {
        prepared = prepared(pictures.get(i), pictures.isIdx());
      } catch (BadFileException e) { // for example a blank picture
        error = e.getMessage();
      }
      add(file, pictures.isIdx() ? i : null, prepared, error);
    }
  }

  private void add(Path file, Integer place, Prepared prepared, String error) {
    read++;
    if (show != null && prepared != null) {
      byte[] png = Png.encode(prepared.pixels(), form.rows(), form.cols());
      WholeFile.write(show.resolve(shownName(file, place)), out -> out.write(png));
    }
    queue.add(file, place, prepared, error);
  }

  private Prepared prepared(Picture picture, boolean idx) {
    Picture upright = idx && transposed ? picture.transposed() : picture;
    return raw ? form.exactly(upright, "--raw") : form.prepare(upright);
  }

  /**
   * The name of the PNG that --show saves for a picture. It begins with the picture's number, so
   * that no two are the same, and has no character that could lead out of the folder.
   */
  private String shownName(Path file, Integer place) {
    String base =
        Objects.toString(file.getFileName(), "")
            .replaceAll("\\.[^.]*$", "") // the ending, for example .png
            .replaceAll("[^A-Za-z0-9._-]", "_");
    return "%04d-%s%s.png"
        .formatted(
            read,
            base.substring(0, Math.min(MAX_NAME, base.length())),
            place == null ? "" : "-" + place);
  }

  /** Says which device answers, and how pictures are prepared if that is unusual. */
  private void sayHow() {
    PrintWriter err = spec.commandLine().getErr();
    err.println(Printable.oneLine(answering.line(answering.ops().description())));
    if (!raw && !prepare.isGiven() && form.preparation() == Preparation.AS_IS) {
      err.println(
          "The model says that pictures are resized as they are; --prepare mnist-form brings them to"
              + " MNIST's form.");
    }
    if (transpose == null && transposed) {
      err.println(
          "The model says that images of IDX files are transposed; --no-transpose takes them as they"
              + " are.");
    }
  }

  private void makeFolder() {
    if (show == null) {
      return;
    }
    try {
      Files.createDirectories(show);
    } catch (IOException e) {
      throw WholeFile.notAFolder("--show " + show, e);
    }
  }

  private ParameterException refused(String message) {
    return new ParameterException(spec.commandLine(), message);
  }
}
