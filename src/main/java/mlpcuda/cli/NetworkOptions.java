package mlpcuda.cli;

import java.util.List;
import java.util.stream.Stream;
import mlpcuda.compute.Activation;
import mlpcuda.net.MlpShape;
import mlpcuda.run.Presets;
import mlpcuda.run.RunSettings;
import mlpcuda.run.RunSettings.Architecture;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The options of the network's shape: a preset, and options that override parts of it. */
final class NetworkOptions {
  /** Converts the name of an activation of hidden layers. */
  static final class ActivationName implements ITypeConverter<Activation> {
    private static final List<String> NAMES =
        Stream.of(Activation.values())
            .filter(activation -> activation != Activation.NONE)
            .map(Activation::label)
            .toList();

    @Override
    public Activation convert(String text) {
      return Activation.of(Converters.oneOf(text, NAMES));
    }
  }

  @Spec(Spec.Target.MIXEE)
  private CommandSpec spec;

  @Option(
      names = "--preset",
      paramLabel = "NAME",
      converter = Converters.PresetName.class,
      description =
          "Settings of a published program: 128x64 (default), 300x300, 128, 128x64-centred,"
              + " 128x64x32-relu-out; or tuned, distorted or record. Other options override parts of it.")
  private RunSettings preset = Presets.DEFAULT;

  @Option(
      names = "--hidden",
      paramLabel = "WIDTHS",
      converter = ListConverters.Widths.class,
      description = "Widths of the hidden layers, such as 128,64; none for no hidden layer.")
  private ListConverters.Hidden hidden;

  @Option(
      names = "--activation",
      paramLabel = "NAME",
      converter = ActivationName.class,
      description =
          "Activation of the hidden layers: relu (default), sigmoid, tanh, or lecun-tanh, which is"
              + " 1.7159 tanh(2z/3).")
  private Activation activation = Activation.RELU;

  @Option(
      names = "--relu-output",
      negatable = true,
      description = "A ReLU on the output layer too.")
  private Boolean reluOutput;

  @Option(
      names = "--scaling",
      paramLabel = "NAME",
      converter = Converters.ScalingName.class,
      description =
          "What pixels become: unit (0 to 1), centred (-1 to 1), or z-score (by the training"
              + " set's mean and standard deviation). What each column of numbers becomes:"
              + " standard (by its mean and standard deviation; the default), minmax (0 to 1) or"
              + " none.")
  private String scaling;

  RunSettings preset() {
    return preset;
  }

  /** Takes the preset from an option of another name. */
  void choose(RunSettings preset) {
    this.preset = preset;
  }

  /** The number of hidden layers. */
  int hiddenLayers() {
    return architecture().hidden().size();
  }

  /** The network; the preset fills in what no option says. */
  Architecture architecture() {
    Architecture presets = preset.network();
    Activation output = presets.output();
    if (reluOutput != null) {
      output = reluOutput ? Activation.RELU : Activation.NONE;
    }
    return new Architecture(
        hidden != null ? hidden.list() : presets.hidden(),
        activation,
        output,
        scaling != null ? scaling : presets.scaling(),
        presets.preparation(),
        presets.init());
  }

  /** The network for images of {@code inputs} pixels and {@code classes} classes. */
  MlpShape shape(int inputs, int classes) {
    try {
      return architecture().shape(inputs, classes);
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), e.getMessage());
    }
  }
}
