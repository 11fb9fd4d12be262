package mlpcuda.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import mlpcuda.error.BadFileException;
import mlpcuda.files.InputFile;
import mlpcuda.files.WholeFile;
import mlpcuda.model.ModelFile;
import mlpcuda.net.MlpShape;
import mlpcuda.net.Weights;
import mlpcuda.picture.Picture;
import mlpcuda.picture.PictureFile;
import mlpcuda.preparation.ImageForm;
import mlpcuda.preparation.Preparation;
import mlpcuda.preparation.Prepared;
import mlpcuda.report.Png;
import mlpcuda.report.Printable;
import mlpcuda.report.Tables;
import mlpcuda.train.ClassProbability;
import mlpcuda.train.Predictor;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** {@code predict}: predicts the classes of pictures with a saved network. */
@Command(
    name = "predict",
    description = "Says what a saved network takes pictures for.",
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
      arity = "1..*",
      description = "PNG, JPEG, GIF, BMP, TIFF, WebP, PGM or IDX files; - is standard input.")
  private List<Path> files;

  @Option(
      names = "--index",
      paramLabel = "I",
      converter = Range.Text.class,
      description = "Of IDX files only this image, or these: 0..9. The first is 0. Default: all.")
  private Range index;

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
          "Exchange rows and columns of the images of IDX files, or do not. Default: as the model"
              + " says that its training images were.")
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

  /**
   * A range of indices of images.
   *
   * @param first the first index, at least 0
   * @param last the last index, at least {@code first}
   */
  record Range(int first, int last) {
    /** Converts one index, or two joined by two points. */
    static final class Text implements ITypeConverter<Range> {
      @Override
      public Range convert(String text) {
        String[] ends = text.split("\\.\\.", -1);
        try {
          int first = Integer.parseInt(ends[0]);
          int last = Integer.parseInt(ends[ends.length - 1]);
          if (ends.length <= 2 && 0 <= first && first <= last) {
            return new Range(first, last);
          }
        } catch (NumberFormatException e) {
          // refused below, like numbers out of order
        }
        throw new TypeConversionException(
            "must be a whole number from 0 to %d, or two, in order, as in 0..9, found %s"
                .formatted(Integer.MAX_VALUE, text.isEmpty() ? "nothing" : text));
      }
    }
  }

  /**
   * A picture that was read or refused.
   *
   * @param name what messages call the picture
   * @param json the picture's entry in the JSON: its file now, its answer later
   * @param prepared what the network is shown; null if the picture was refused
   * @param error why the picture was refused; null if it was not
   */
  private record Input(String name, Map<String, Object> json, Prepared prepared, String error) {}

  /**
   * The greatest number of bytes of prepared pictures in memory at once, except for one picture.
   */
  private static final int BATCH_BYTES = 64 << 20;

  private MlpShape shape;
  private ImageForm form; // the model's, with the preparation of --prepare
  private boolean transposed; // whether images of IDX files are
  private OpenDevice answering;
  private Predictor predictor;
  private final List<Input> waiting = new ArrayList<>(); // pictures that are not answered yet
  private final List<Map<String, Object>> images = new ArrayList<>(); // the JSON's answers
  private final List<Map<String, Object>> failures = new ArrayList<>(); // the JSON's refusals
  private int read; // the number of pictures read or refused so far
  private int failed; // the number of pictures refused so far
  private boolean begun; // whether a picture has been answered

  @Override
  public Integer call() {
    device.check();
    if (raw && prepare.isGiven()) {
      throw refused("--raw and --prepare exclude each other, found both");
    }
    if (Stream.concat(Stream.of(model), files.stream()).filter(InputFile::isStandardInput).count()
        > 1) {
      throw refused("- is standard input, which can be read only once; it is named more than once");
    }
    ModelFile file = ModelFile.read(model);
    shape = file.shape();
    form = prepare.of(file.form());
    transposed = transpose != null ? transpose : form.transposed();
    makeFolder();
    String what = model + ": the network " + shape;
    var weights = new Weights(shape, file.weights());
    try (OpenDevice opened = device.open();
        var network = new Predictor(opened.ops(), weights, form.scaling(), batch(), what)) {
      answering = opened;
      predictor = network;
      for (Path pictures : files) {
        read(pictures);
      }
      answer();
    }
    if (json) {
      var all = new LinkedHashMap<String, Object>();
      all.put("images", images);
      if (failed > 0) {
        all.put("failed", failures);
      }
      spec.commandLine().getOut().println(Tables.json(all));
    }
    return failed > 0 ? ExitCode.FILE.code : 0;
  }

  /** The number of pictures that are answered at once, at most. */
  private int batch() {
    return Math.min(Predictor.batch(shape), Math.max(1, BATCH_BYTES / shape.inputs()));
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

  private Prepared prepared(Picture picture, boolean idx) {
    Picture upright = idx && transposed ? picture.transposed() : picture;
    return raw ? form.exactly(upright, "--raw") : form.prepare(upright);
  }

  /** Queues a picture or its refusal, and answers the queue when it is full. */
  private void add(Path file, Integer place, Prepared prepared, String error) {
    read++;
    var image = new LinkedHashMap<String, Object>();
    image.put("file", file.toString());
    if (place != null) {
      image.put("index", place);
    }
    if (json) {
      (prepared == null ? failures : images).add(image);
    }
    String name = place == null ? file.toString() : file + "[" + place + "]";
    waiting.add(new Input(name, image, prepared, error));
    if (show != null && prepared != null) {
      byte[] png = Png.encode(prepared.pixels(), form.rows(), form.cols());
      WholeFile.write(show.resolve(shownName(file, place)), out -> out.write(png));
    }
    if (waiting.size() >= batch()) {
      answer();
    }
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

  /** Answers the queued pictures in their order. */
  private void answer() {
    List<Input> good = waiting.stream().filter(input -> input.prepared() != null).toList();
    float[][] answers = new float[0][];
    if (!good.isEmpty()) {
      byte[] pixels = new byte[good.size() * shape.inputs()];
      for (int i = 0; i < good.size(); i++) {
        byte[] each = good.get(i).prepared().pixels();
        System.arraycopy(each, 0, pixels, i * each.length, each.length);
      }
      answers = predictor.logProbabilities(pixels);
    }
    PrintWriter err = spec.commandLine().getErr();
    PrintWriter lines = json ? err : spec.commandLine().getOut();
    int next = 0;
    for (Input input : waiting) {
      if (input.prepared() == null) {
        failed++;
        err.println(Printable.oneLine(input.error()));
        input.json().put("error", input.error());
        continue;
      }
      sayHow();
      List<ClassProbability> likeliest = ClassProbability.likeliest(answers[next++]);
      lines.println(line(input, likeliest));
      input.json().putAll(ClassProbability.json(likeliest));
      input.json().put("preparation", (raw ? Preparation.AS_IS : form.preparation()).label());
      input.prepared().warning().ifPresent(warning -> input.json().put("warning", warning));
    }
    waiting.clear();
  }

  /** Says once which device answers, and how pictures are prepared where that is not the usual. */
  private void sayHow() {
    if (begun) {
      return;
    }
    begun = true;
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

  private static String line(Input input, List<ClassProbability> likeliest) {
    String others =
        likeliest.stream()
            .skip(1)
            .map(a -> String.format(Locale.ROOT, "%d %.4f", a.label(), a.probability()))
            .collect(Collectors.joining(", "));
    ClassProbability best = likeliest.get(0);
    String answer =
        String.format(
            Locale.ROOT,
            others.isEmpty() ? "%d (%.2f%%)" : "%d (%.2f%%; then %s)",
            best.label(),
            100 * best.probability(),
            others);
    String warning = input.prepared().warning().map(". Warning: "::concat).orElse("");
    return Printable.oneLine(input.name() + ": " + answer + warning);
  }
}
