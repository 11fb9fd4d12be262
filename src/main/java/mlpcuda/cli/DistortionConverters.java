package mlpcuda.cli;

import java.util.Optional;
import mlpcuda.compute.Distortion;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Converters from texts of the command line to distortions. */
final class DistortionConverters {
  private DistortionConverters() {}

  /** Converts a distortion of images. */
  static final class DistortionText implements ITypeConverter<Distortion> {
    @Override
    public Distortion convert(String text) {
      try {
        return Distortion.parse(text);
      } catch (IllegalArgumentException e) {
        throw new TypeConversionException(e.getMessage());
      }
    }
  }

  /**
   * The distortion of training images, or none.
   *
   * @param distortion the distortion; empty: none
   */
  record Augment(Optional<Distortion> distortion) {}

  /** Converts the distortion of training images, which may be none. */
  static final class AugmentText implements ITypeConverter<Augment> {
    @Override
    public Augment convert(String text) {
      return new Augment(
          text.equals("none") ? Optional.empty() : Optional.of(new DistortionText().convert(text)));
    }
  }
}
