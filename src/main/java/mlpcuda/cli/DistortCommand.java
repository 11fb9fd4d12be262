package mlpcuda.cli;

import java.nio.file.Path;
import java.util.concurrent.Callable;
import mlpcuda.compute.Distortion;
import mlpcuda.data.ExampleSet;
import mlpcuda.features.Features;
import mlpcuda.files.WholeFile;
import mlpcuda.net.Batches;
import mlpcuda.report.ContactSheet;
import mlpcuda.train.DistortedImages;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code distort}: draws training images beside their distortions. */
@Command(
    name = "distort",
    description =
        "Draws training images beside the distorted ones that --augment has in their place.",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    sortOptions = false)
final class DistortCommand implements Callable<Integer> {
  /** The most images of a row of the sheet, unless an image and its distortions are more. */
  private static final int ACROSS = 40;

  @Spec private CommandSpec spec;

  @Option(
      names = "--augment",
      paramLabel = "LIST",
      required = true,
      converter = Converters.DistortionText.class,
      description = "The distortions, as training has them: see 'mlp-cuda train --help'.")
  private Distortion distortion;

  @Option(
      names = "--png",
      paramLabel = "FILE",
      required = true,
      description = "Save the sheet there.")
  private Path png;

  @Option(
      names = "--images",
      paramLabel = "N",
      converter = Converters.Positive.class,
      description = "Show the first N training images. Default: 100.")
  private int images = 100;

  @Option(
      names = "--epochs",
      paramLabel = "N",
      converter = Converters.Positive.class,
      description = "Show beside each image its distortions of the first N epochs. Default: 9.")
  private int epochs = 9;

  @Option(
      names = "--seed",
      paramLabel = "N",
      converter = Converters.Whole.class,
      description = "Seed of the training. Default: 1.")
  private long seed = 1;

  @Mixin private DataOptions data = new DataOptions();
  @Mixin private DeviceOptions device = new DeviceOptions();

  @Override
  public Integer call() {
    data.check();
    device.check();
    var terminal = new Terminal(spec.commandLine().getOut(), false);
    try (Opened opened = Opened.of(device, data, terminal)) {
      ExampleSet train = opened.dataset().train();
      if (!Batches.canDistort(train)) {
        throw refused("only images of bytes are distorted, found " + train.layout());
      }
      int count = Math.min(images, train.size());
      int across = Math.max(1, ACROSS / (1 + epochs)) * (1 + epochs);
      long pixels = (long) count * (1 + epochs) * train.inputs();
      if (pixels > ContactSheet.MOST_PIXELS) {
        throw refused(
            "a sheet must have at most %,d values, found %,d: lower --images or --epochs"
                .formatted(ContactSheet.MOST_PIXELS, pixels));
      }
      var sheet = DistortedImages.of(opened.ops(), train, count, epochs, distortion, seed);
      Features all = Features.of(sheet.pixels(), train.inputs());
      byte[] encoded = ContactSheet.encode(all, sheet.size(), across, all.size());
      WholeFile.write(png, file -> file.write(encoded));
      terminal.line("Saved %s: %,d images, each before %,d distortions", png, count, epochs);
      return 0;
    }
  }

  private ParameterException refused(String message) {
    return new ParameterException(spec.commandLine(), message);
  }
}
