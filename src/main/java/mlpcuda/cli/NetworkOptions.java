package mlpcuda.cli;

import java.util.ArrayList;
import java.util.List;
import mlpcuda.compute.Activation;
import mlpcuda.net.MlpShape;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The options of the network's shape: a preset, and options that override parts of it. */
final class NetworkOptions {
  enum HiddenActivation {
    relu,
    sigmoid,
    tanh
  }

  @Spec(Spec.Target.MIXEE)
  private CommandSpec spec;

  @Option(
      names = "--preset",
      paramLabel = "NAME",
      converter = Converters.PresetName.class,
      description =
          "Settings of a published program: 128x64 (default), 300x300, 128, 128x64-centred,"
              + " 128x64x32-relu-out; or tuned. Other options override parts of it.")
  private Preset preset = Preset.DEFAULT;

  @Option(
      names = "--hidden",
      paramLabel = "WIDTHS",
      converter = Converters.Widths.class,
      description = "Widths of the hidden layers, such as 128,64; none for no hidden layer.")
  private Converters.Hidden hidden;

  @Option(
      names = "--activation",
      paramLabel = "NAME",
      description = "Activation of the hidden layers: relu (default), sigmoid or tanh.")
  private HiddenActivation activation = HiddenActivation.relu;

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
              + " set's mean and standard deviation).")
  private String scaling;

  Preset preset() {
    return preset;
  }

  /** Takes the preset from an option of another name. */
  void choose(Preset preset) {
    this.preset = preset;
  }

  /** The number of hidden layers. */
  int hiddenLayers() {
    return hidden != null ? hidden.list().size() : preset.hidden().size();
  }

  /** The name of the scaling. */
  String scaling() {
    return scaling != null ? scaling : preset.scaling();
  }

  /** The network for images of {@code inputs} pixels and {@code classes} classes. */
  MlpShape shape(int inputs, int classes) {
    List<Integer> sizes = sizes(inputs, hidden != null ? hidden.list() : preset.hidden(), classes);
    Activation output = preset.output();
    if (reluOutput != null) {
      output = reluOutput ? Activation.RELU : Activation.NONE;
    }
    try {
      return new MlpShape(sizes, Activation.of(activation.name()), output);
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), e.getMessage());
    }
  }

  /** The widths of all layers. */
  static List<Integer> sizes(int inputs, List<Integer> hidden, int classes) {
    var sizes = new ArrayList<Integer>();
    sizes.add(inputs);
    sizes.addAll(hidden);
    sizes.add(classes);
    return sizes;
  }
}
