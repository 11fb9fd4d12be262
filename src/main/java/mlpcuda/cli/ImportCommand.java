package mlpcuda.cli;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import mlpcuda.compute.Activation;
import mlpcuda.data.PixelScaling;
import mlpcuda.error.BadFileException;
import mlpcuda.model.ModelFile;
import mlpcuda.model.TorchWeights;
import mlpcuda.net.MlpShape;
import mlpcuda.preparation.ImageForm;
import mlpcuda.preparation.Preparation;
import mlpcuda.report.Printable;
import mlpcuda.report.Tables;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code import}: makes a model file of weights that PyTorch trained. */
@Command(
    name = "import",
    description = {
      "Makes a model file of weights that PyTorch saved.",
      "The weights are what safetensors.torch.save_file(model.state_dict(), FILE) wrote, of linear"
          + " layers, in float32."
    },
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    sortOptions = false)
final class ImportCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Parameters(paramLabel = "FILE", description = "The weights.")
  private Path file;

  @Option(
      names = "--out",
      paramLabel = "FILE",
      required = true,
      description = "Where the model goes.")
  private Path out;

  @Option(
      names = "--activation",
      paramLabel = "NAME",
      converter = NetworkOptions.ActivationName.class,
      description =
          "Activation of the hidden layers: relu (default), sigmoid, tanh, or lecun-tanh, which is"
              + " 1.7159 tanh(2z/3).")
  private Activation activation = Activation.RELU;

  @Option(names = "--relu-output", description = "A ReLU on the output layer too.")
  private boolean reluOutput;

  @Option(
      names = "--scaling",
      paramLabel = "NAME",
      converter = Converters.PixelScalingName.class,
      description =
          "What pixels became before training: unit (0 to 1, as ToTensor does; default), centred"
              + " (-1 to 1), or z-score, which needs --mean and --std.")
  private String scaling;

  @Option(
      names = "--mean",
      paramLabel = "M",
      description = "Of torchvision's Normalize, such as 0.1307; implies --scaling z-score.")
  private Double mean;

  @Option(
      names = "--std",
      paramLabel = "S",
      converter = Converters.PositiveReal.class,
      description = "Of torchvision's Normalize, such as 0.3081.")
  private Double std;

  @Option(
      names = "--rows",
      paramLabel = "R",
      converter = Converters.Positive.class,
      description = "Height of the images. Default: they are square.")
  private Integer rows;

  @Option(
      names = "--cols",
      paramLabel = "C",
      converter = Converters.Positive.class,
      description = "Width of the images.")
  private Integer cols;

  @Option(
      names = "--prepare",
      paramLabel = "HOW",
      converter = Converters.PreparationName.class,
      description =
          "How predict and serve shall prepare pictures: mnist-form for a network that learnt"
              + " MNIST, or as-is, resized alone. Default: mnist-form for images of 28x28, else"
              + " as-is.")
  private Preparation prepare;

  @Override
  public Integer call() {
    if (ExportCommand.isSame(out, file)) {
      throw bad("--out must be another file than the weights, found " + file);
    }
    PixelScaling inputs = inputs();
    TorchWeights weights = TorchWeights.read(file);
    MlpShape shape = shape(weights);
    var model = new ModelFile(shape, form(shape, inputs), weights.weights());
    model.write(out);
    PrintWriter output = spec.commandLine().getOut();
    for (int l = 0; l < shape.layers(); l++) {
      TorchWeights.Layer layer = weights.layers().get(l);
      output.println(
          "layers.%d is %s%s"
              .formatted(
                  l,
                  layer.name().isEmpty() ? "the only layer" : Printable.oneLine(layer.name()),
                  layer.hasBias() ? "" : ", which has no bias: zeros"));
    }
    output.println(Tables.layers(shape));
    output.println(
        "Saved %s: images %s, scaling %s, mean %s, std %s"
            .formatted(
                Printable.oneLine(out.toString()),
                model.form().layout(),
                inputs.name(),
                inputs.mean(),
                inputs.std()));
    return 0;
  }

  private MlpShape shape(TorchWeights weights) {
    try {
      return new MlpShape(
          weights.sizes(), activation, reluOutput ? Activation.RELU : Activation.NONE);
    } catch (IllegalArgumentException e) {
      throw new BadFileException(file + ": " + e.getMessage(), e);
    }
  }

  /** The scaling of the network's inputs; a wrong one is refused before the file is read. */
  private PixelScaling inputs() {
    boolean numbers = mean != null || std != null;
    String name = scaling != null ? scaling : numbers ? "z-score" : "unit";
    if (!name.equals("z-score")) {
      if (numbers) {
        throw bad("--mean and --std need --scaling z-score, found " + name);
      }
      return PixelScaling.of(name, null);
    }
    if (mean == null || std == null) {
      throw bad(
          "--scaling z-score needs --mean and --std, found "
              + (mean != null ? "--mean" : std != null ? "--std" : "neither")
              + (numbers ? " alone" : ""));
    }
    try {
      var given = new PixelScaling(name, mean, std);
      if (Float.isFinite(given.scale()) && Float.isFinite(given.shift())) {
        return given;
      }
    } catch (IllegalArgumentException e) {
      // refused below, like numbers that a float cannot hold
    }
    throw bad("--mean and --std must give finite inputs, found %s and %s".formatted(mean, std));
  }

  private ImageForm form(MlpShape shape, PixelScaling inputs) {
    int height = height(shape.inputs());
    int width = shape.inputs() / height;
    Preparation preparation = prepare != null ? prepare : Preparation.usual(height, width);
    return ImageForm.grey(height, width, inputs, preparation, false);
  }

  /** The number of rows of an image of {@code I} pixels. */
  private int height(int I) {
    int side = (int) Math.round(Math.sqrt(I));
    long height = rows != null ? rows : cols != null ? I / cols : side;
    long width = cols != null ? cols : rows != null ? I / rows : side;
    if (height * width != I) {
      throw new BadFileException(
          "%s: --rows times --cols must be the first layer's %d inputs, found %s"
              .formatted(
                  file,
                  I,
                  rows == null && cols == null
                      ? "neither, and no square"
                      : "%s and %s"
                          .formatted(rows == null ? "none" : rows, cols == null ? "none" : cols)));
    }
    return (int) height;
  }

  private ParameterException bad(String message) {
    return new ParameterException(spec.commandLine(), message);
  }
}
