package mlpcuda.cli;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import mlpcuda.compute.Ops;
import mlpcuda.data.BadFileException;
import mlpcuda.data.InputFile;
import mlpcuda.data.MnistForm;
import mlpcuda.data.Picture;
import mlpcuda.data.PictureFile;
import mlpcuda.model.ModelFile;
import mlpcuda.net.Parameters;
import mlpcuda.train.Answer;
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

/** {@code predict}: what a saved network takes pictures for. */
@Command(
    name = "predict",
    description = "Says what a saved network takes pictures for.",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    sortOptions = false)
final class PredictCommand implements Callable<Integer> {
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

  @Option(
      names = "--raw",
      description =
          "Take the pictures as they are, not brought to MNIST's form; they must have the size of"
              + " the network's images.")
  private boolean raw;

  @Option(
      names = "--json",
      description = "Print the answers as JSON on standard output, all else on standard error.")
  private boolean json;

  @Mixin private DeviceOptions device = new DeviceOptions();

  /**
   * Indices of images.
   *
   * @param first from 0 on
   * @param last at least {@code first}
   */
  record Range(int first, int last) {
    /** One index, or two joined by two points. */
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
   * A picture as the network sees it.
   *
   * @param file where it is from
   * @param index its place in an IDX file; null: it is all of the file
   * @param pixels (rows, cols) of the network's images
   */
  private record Input(Path file, Integer index, byte[] pixels) {
    @Override
    public String toString() {
      return index == null ? file.toString() : file + "[" + index + "]";
    }
  }

  @Override
  public Integer call() {
    device.check();
    PrintWriter out = spec.commandLine().getOut();
    var terminal = new Terminal(json ? spec.commandLine().getErr() : out, Terminal.isInteractive());
    if (Stream.concat(Stream.of(model), files.stream()).filter(InputFile::isStandardInput).count()
        > 1) {
      throw refused("- is standard input, which can be read only once; it is named more than once");
    }
    ModelFile network = ModelFile.read(model);
    var failures = new ArrayList<Map<String, Object>>();
    List<Input> inputs = inputs(network, failures);
    if (inputs.isEmpty()) {
      return end(List.of(), failures, out);
    }
    float[][] answers;
    try (Ops ops = device.open();
        var parameters = new Parameters(ops, network.shape())) {
      parameters.write(network.weights());
      spec.commandLine().getErr().println(ops.description() + " (" + device.reason() + ")");
      byte[] pixels = joined(inputs, network.shape().inputs());
      answers =
          Predictor.logProbabilities(ops, network.shape(), parameters, pixels, network.scaling());
    }
    var images = new ArrayList<Map<String, Object>>();
    for (int i = 0; i < answers.length; i++) {
      List<Answer> likeliest = Answer.likeliest(answers[i]);
      terminal.line("%s", line(inputs.get(i), likeliest));
      images.add(json(inputs.get(i), likeliest));
    }
    return end(images, failures, out);
  }

  /** Prints the answers as JSON where that was asked for; the exit code. */
  private int end(
      List<Map<String, Object>> images, List<Map<String, Object>> failures, PrintWriter out) {
    if (json) {
      var document = new LinkedHashMap<String, Object>();
      document.put("images", images);
      if (!failures.isEmpty()) {
        document.put("failed", failures);
      }
      out.println(Tables.json(document));
    }
    return failures.isEmpty() ? 0 : ExitCode.FILE.code;
  }

  /**
   * The pictures that can be used.
   *
   * @param failures gets the others
   */
  private List<Input> inputs(ModelFile network, List<Map<String, Object>> failures) {
    var inputs = new ArrayList<Input>();
    for (Path file : files) {
      try {
        inputs.addAll(inputs(file, network));
      } catch (BadFileException e) { // the others are answered all the same
        String message = Main.oneLine(e.getMessage());
        spec.commandLine().getErr().println(message);
        var failure = new LinkedHashMap<String, Object>();
        failure.put("file", file.toString());
        failure.put("error", message);
        failures.add(failure);
      }
    }
    return inputs;
  }

  private List<Input> inputs(Path file, ModelFile network) {
    var inputs = new ArrayList<Input>();
    PictureFile pictures = PictureFile.read(file);
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
      byte[] pixels = pixels(pictures.get(i), network);
      inputs.add(new Input(file, pictures.isIdx() ? i : null, pixels));
    }
    return inputs;
  }

  private byte[] pixels(Picture picture, ModelFile network) {
    return raw
        ? picture.exactly(network.rows(), network.cols(), "--raw")
        : MnistForm.of(picture, network.rows(), network.cols()).pixels();
  }

  private ParameterException refused(String message) {
    return new ParameterException(spec.commandLine(), message);
  }

  private byte[] joined(List<Input> inputs, int each) {
    if ((long) inputs.size() * each > Integer.MAX_VALUE - 8) {
      throw refused(
          "at most %d images at once, found %d; --index takes fewer"
              .formatted((Integer.MAX_VALUE - 8) / each, inputs.size()));
    }
    byte[] pixels = new byte[inputs.size() * each];
    for (int i = 0; i < inputs.size(); i++) {
      System.arraycopy(inputs.get(i).pixels(), 0, pixels, i * each, each);
    }
    return pixels;
  }

  private static String line(Input input, List<Answer> likeliest) {
    String others =
        likeliest.stream()
            .skip(1)
            .map(a -> String.format(Locale.ROOT, "%d %.4f", a.label(), a.probability()))
            .collect(Collectors.joining(", "));
    Answer best = likeliest.get(0);
    return String.format(
        Locale.ROOT,
        others.isEmpty() ? "%s: %d (%.2f%%)" : "%s: %d (%.2f%%; then %s)",
        Main.oneLine(input.toString()),
        best.label(),
        100 * best.probability(),
        others);
  }

  private static Map<String, Object> json(Input input, List<Answer> likeliest) {
    var image = new LinkedHashMap<String, Object>();
    image.put("file", input.file().toString());
    if (input.index() != null) {
      image.put("index", input.index());
    }
    image.putAll(Answer.json(likeliest));
    return image;
  }
}
