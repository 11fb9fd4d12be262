package mlpcuda.cli;

import java.nio.file.Path;
import java.util.concurrent.Callable;
import mlpcuda.error.BadFileException;
import mlpcuda.model.Committee;
import mlpcuda.model.Onnx;
import mlpcuda.preparation.ImageForm;
import mlpcuda.report.Build;
import mlpcuda.report.Printable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code export}: writes a saved network for other programs. */
@Command(
    name = "export",
    description = "Writes a saved network as an ONNX model, its input scaling included.",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    sortOptions = false)
final class ExportCommand implements Callable<Integer> {
  // The default is bytes: a runtime refuses floats where bytes are expected, but would answer
  // floats of the wrong range wrongly, without a word.
  enum Input {
    bytes,
    unit
  }

  @Spec private CommandSpec spec;

  @Option(
      names = "--model",
      paramLabel = "FILE",
      required = true,
      description = "A model.safetensors that training or import wrote.")
  private Path model;

  @Option(
      names = "--onnx",
      paramLabel = "FILE",
      required = true,
      description = "Where the ONNX model goes: IR version 8, opset 17.")
  private Path onnx;

  @Option(
      names = "--input",
      paramLabel = "KIND",
      description =
          "What the ONNX model of a network of images takes: bytes (uint8, 0 to 255; default) or unit"
              + " (float32, 0 to 1). Rows of numbers are taken as they are (float32).")
  private Input input;

  @Option(names = "--softmax", description = "A second output, probabilities, behind the logits.")
  private boolean softmax;

  @Override
  public Integer call() {
    if (isSame(onnx, model)) {
      throw new ParameterException(
          spec.commandLine(), "--onnx must be another file than --model, found " + model);
    }
    Committee network = Committee.read(model);
    if (network.changesInk()) {
      throw new BadFileException(
          model
              + ": a network of it sees the ink of images in another width, which an ONNX model cannot"
              + " do; export a committee without widths");
    }
    boolean images = network.form() instanceof ImageForm;
    if (input != null && !images) {
      throw new ParameterException(
          spec.commandLine(),
          "--input is of pixels, and the network of %s takes rows of numbers as they are"
              .formatted(model));
    }
    boolean bytes = images && input != Input.unit;
    Onnx.write(onnx, network, bytes ? Onnx.Input.BYTES : Onnx.Input.UNIT, softmax, Build.version());
    int C = network.shape().classes();
    spec.commandLine()
        .getOut()
        .println(
            "Saved %s: opset %d, input %s (batch, %d) %s, output logits (batch, %d)%s"
                .formatted(
                    Printable.oneLine(onnx.toString()),
                    Onnx.OPSET,
                    images ? "pixels" : "features",
                    network.shape().inputs(),
                    bytes ? "uint8" : "float32",
                    C,
                    softmax ? " and probabilities (batch, %d)".formatted(C) : ""));
    return 0;
  }

  /** Whether two paths lead to the same place, where writing would destroy what is read. */
  static boolean isSame(Path a, Path b) {
    return a.toAbsolutePath().normalize().equals(b.toAbsolutePath().normalize());
  }
}
