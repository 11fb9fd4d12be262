package mlpcuda.cli;

import static picocli.CommandLine.Model.UsageMessageSpec.SECTION_KEY_OPTION_LIST;

import java.lang.reflect.Field;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import mlpcuda.cli.DeviceValues.GemmName;
import mlpcuda.cli.DeviceValues.KernelsName;
import mlpcuda.compute.cuda.CudaOptions;
import picocli.CommandLine;
import picocli.CommandLine.Help;
import picocli.CommandLine.IHelpSectionRenderer;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;

/**
 * The options of a GPU that training does not need: they replace a default, to measure what it is
 * worth or to find what fails. The help lists them last.
 */
final class MeasuringOptions {
  /** The section of a command's help that lists these options. */
  private static final String SECTION = "measuring";

  @Option(
      names = "--gemm",
      paramLabel = "cublas|ptx",
      description = "Who multiplies on the GPU. Default: cuBLAS where it is found, else ptx.")
  GemmName gemm;

  @Option(
      names = "--kernels",
      paramLabel = "ptx|cudnn",
      description = "Who adds biases and computes activations on the GPU. Default: ptx.")
  KernelsName kernels;

  @Option(names = "--no-graph", description = "Launch each kernel, without a CUDA graph.")
  boolean noGraph;

  @Option(
      names = "--steps-per-launch",
      paramLabel = "N",
      converter = Converters.Positive.class,
      description = "Training steps of a CUDA graph. Default: 8, fewer of large batches.")
  Integer stepsPerLaunch;

  @Option(
      names = "--sync-check",
      description = "Wait after each launch on the GPU, to find the one that fails; no graph.")
  boolean syncCheck;

  /** The way of launching kernels that these options ask for: a check excludes a graph. */
  CudaOptions.Launching launching() {
    if (syncCheck) {
      return CudaOptions.Launching.CHECKED;
    }
    return noGraph ? CudaOptions.Launching.SINGLE : CudaOptions.Launching.GRAPH;
  }

  /** Whether one of these options is given. */
  boolean given() {
    return gemm != null || kernels != null || noGraph || stepsPerLaunch != null || syncCheck;
  }

  /**
   * Makes the help of a command list these options, if it has them, after all others and under a
   * heading of their own. An option group of picocli would do as much, but where an option is given
   * twice, its message says only that every option of the group is expected once.
   */
  static void listLast(CommandLine command) {
    var sections = new ArrayList<>(command.getHelpSectionKeys());
    sections.add(sections.indexOf(SECTION_KEY_OPTION_LIST) + 1, SECTION);
    command.setHelpSectionKeys(sections);
    Map<String, IHelpSectionRenderer> renderers = command.getHelpSectionMap();
    renderers.put(SECTION_KEY_OPTION_LIST, help -> list(help, false));
    renderers.put(
        SECTION,
        help -> {
          String list = list(help, true);
          String heading = help.createHeading("%nMeasuring and debugging the GPU:%n");
          return list.isEmpty() ? "" : heading + list;
        });
  }

  /** Lists a command's options of this class, or its other options. */
  private static String list(Help help, boolean measuring) {
    List<OptionSpec> all = help.commandSpec().options(); // both lists get the columns of all
    Help.Layout layout = help.createDefaultLayout(all, List.of(), help.colorScheme());
    List<OptionSpec> these = all.stream().filter(o -> measuring == isMeasuring(o)).toList();
    layout.addOptions(these, help.createDefaultParamLabelRenderer());
    return layout.toString();
  }

  /** Whether an option of a command is one of this class. */
  static boolean isMeasuring(OptionSpec option) {
    return option.userObject() instanceof Field field
        && field.getDeclaringClass() == MeasuringOptions.class;
  }
}
