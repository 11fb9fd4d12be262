package mlpcuda.cli;

import java.util.Optional;
import mlpcuda.compute.Distortion;
import mlpcuda.net.Augmentation;
import mlpcuda.run.RunSettings;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The options that say how training images are distorted. */
final class AugmentOptions {
  @Spec(Spec.Target.MIXEE)
  private CommandSpec spec;

  @Mixin private AugmentOption augment = new AugmentOption();

  @Option(
      names = "--augment-end",
      paramLabel = "SHARE",
      converter = Converters.Share.class,
      description =
          "Strength of the distortions in the last epoch, from 0 to 1; it changes linearly from 1 in"
              + " the first. Default: the preset's, or 1.")
  private Double augmentEnd;

  /** Refuses a strength at the end without distortions. */
  void check(RunSettings preset) {
    if (augmentEnd != null && augmentation(preset.learning()).isEmpty()) {
      throw new ParameterException(spec.commandLine(), "--augment-end needs --augment, found none");
    }
  }

  /** The way of learning with the distortions of these options, or else with its own. */
  RunSettings.Learning of(RunSettings.Learning learning) {
    return learning.with(augmentation(learning));
  }

  private Optional<Augmentation> augmentation(RunSettings.Learning learning) {
    Optional<Augmentation> presets = learning.augmentation();
    Optional<Distortion> distortion =
        augment.isGiven() ? augment.distortion() : presets.map(Augmentation::distortion);
    float end =
        augmentEnd != null ? augmentEnd.floatValue() : presets.map(Augmentation::end).orElse(1f);
    return distortion.map(of -> new Augmentation(of, end));
  }
}
