package mlpcuda.cli;

import java.util.Optional;
import mlpcuda.compute.Distortion;
import picocli.CommandLine.Option;

/** The option that distorts training images, or keeps a preset from it. */
final class AugmentOption {
  @Option(
      names = "--augment",
      paramLabel = "LIST",
      converter = DistortionConverters.AugmentText.class,
      description =
          "Distort the training images at random, anew in each epoch: some of"
              + " elastic:ALPHA:SIGMA, rotate:DEG, shear:DEG, scale:PERCENT, translate:PIXELS and"
              + " erase[:SHARE], joined by commas; or none. Default: the preset's.")
  private DistortionConverters.Augment augment;

  /** Whether the option is given, be it for no distortion. */
  boolean isGiven() {
    return augment != null;
  }

  /** The distortion that the option asks for; empty if it asks for none or is not given. */
  Optional<Distortion> distortion() {
    return isGiven() ? augment.distortion() : Optional.empty();
  }
}
