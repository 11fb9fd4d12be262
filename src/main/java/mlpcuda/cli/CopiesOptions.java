package mlpcuda.cli;

import java.nio.file.Path;
import java.util.Optional;
import mlpcuda.compute.Distortion;
import mlpcuda.preparation.ExampleForm;
import mlpcuda.preparation.ImageForm;
import mlpcuda.train.DistortedCopies;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The options that make a network answer to distorted copies of each image, too. */
final class CopiesOptions {
  @Spec(Spec.Target.MIXEE)
  private CommandSpec spec;

  @Option(
      names = "--tta",
      paramLabel = "N",
      converter = Converters.Positive.class,
      description =
          "Average the probabilities for an image with those for N distorted copies of it"
              + " (test-time augmentation). Default: no copies.")
  private Integer copies;

  @Option(
      names = "--augment",
      paramLabel = "LIST",
      converter = DistortionConverters.DistortionText.class,
      description =
          "Distortions of the copies of --tta, as training has them. Default:"
              + " elastic:18:5.5,rotate:6,shear:5,scale:7.")
  private Distortion distortion;

  /** Refuses options that can be refused before any file is read. */
  void check() {
    if (distortion != null && copies == null) {
      throw refused("--augment needs --tta, found none");
    }
  }

  /**
   * The copies that the options ask for; empty if they ask for none.
   *
   * @param model the model's file, for the message
   */
  Optional<DistortedCopies> of(ExampleForm form, Path model) {
    if (copies == null) {
      return Optional.empty();
    }
    if (!(form instanceof ImageForm images)) {
      throw refused(
          "--tta is for networks of images, and that of %s takes numbers".formatted(model));
    }
    Distortion chosen = distortion != null ? distortion : DistortedCopies.USUAL;
    return Optional.of(new DistortedCopies(chosen, copies, images.layout()));
  }

  private ParameterException refused(String message) {
    return new ParameterException(spec.commandLine(), message);
  }
}
