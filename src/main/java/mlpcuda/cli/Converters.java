package mlpcuda.cli;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import mlpcuda.data.PixelScaling;
import mlpcuda.data.PublishedDataset;
import mlpcuda.data.Scaling;
import mlpcuda.data.Split;
import mlpcuda.files.OneLine;
import mlpcuda.preparation.Preparation;
import mlpcuda.run.Presets;
import mlpcuda.run.RunSettings;
import mlpcuda.train.Schedule;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * Converters from texts of the command line to checked values; a refusal gives the rule and the
 * value.
 */
final class Converters {
  private Converters() {}

  /** Converts a path; one that the locale's encoding cannot express is refused with that reason. */
  static final class FileName implements ITypeConverter<Path> {
    private final Path folder; // the folder that relative paths start from

    FileName(Path folder) {
      this.folder = folder;
    }

    @Override
    public Path convert(String text) {
      try {
        return folder.resolve(text);
      } catch (InvalidPathException e) {
        throw new TypeConversionException(
            text.indexOf('\0') >= 0
                ? "a file name cannot have the character 0"
                : "the locale cannot express the file name %s: start the program with LC_ALL=C.UTF-8"
                    .formatted(text));
      }
    }
  }

  /** Converts a whole number, at least 1. */
  static final class Positive implements ITypeConverter<Integer> {
    @Override
    public Integer convert(String text) {
      return whole(text, 1);
    }
  }

  /** Converts a whole number, at least 0. */
  static final class NotNegative implements ITypeConverter<Integer> {
    @Override
    public Integer convert(String text) {
      return whole(text, 0);
    }
  }

  /** Converts a TCP port, or 0. */
  static final class Port implements ITypeConverter<Integer> {
    @Override
    public Integer convert(String text) {
      return whole(text, 0, 65_535);
    }
  }

  /** Converts a number above 0 that is a finite float. */
  static final class PositiveReal implements ITypeConverter<Double> {
    @Override
    public Double convert(String text) {
      try {
        double number = Double.parseDouble(text);
        // The devices compute in float, where 1e-50 is 0 and 1e50 is infinite.
        if ((float) number > 0 && Float.isFinite((float) number)) {
          return number;
        }
      } catch (NumberFormatException e) {
        // refused below, like a number that is not positive
      }
      throw new TypeConversionException(
          "must be a number above 0 that a float can hold, found " + OneLine.orNothing(text));
    }
  }

  /** Converts a number that is at least 0 and a finite float. */
  static final class NotNegativeReal implements ITypeConverter<Double> {
    @Override
    public Double convert(String text) {
      return real(text, Float.MAX_VALUE, "must be a number from 0 on that a float can hold");
    }
  }

  /** Converts a number that is at least 0 and below 1. */
  static final class Fraction implements ITypeConverter<Double> {
    @Override
    public Double convert(String text) {
      return real(text, Math.nextDown(1.0f), "must be a number from 0 on, below 1");
    }
  }

  /** Converts a number from 0 to 1. */
  static final class Share implements ITypeConverter<Double> {
    @Override
    public Double convert(String text) {
      return real(text, 1, "must be a number from 0 to 1");
    }
  }

  /** Converts the amount of the training set that is held back. */
  static final class SplitAmount implements ITypeConverter<Double> {
    @Override
    public Double convert(String text) {
      try {
        return Split.parse(text);
      } catch (IllegalArgumentException e) {
        throw new TypeConversionException(e.getMessage());
      }
    }
  }

  /** Converts a schedule of the learning rate. */
  static final class ScheduleText implements ITypeConverter<Schedule> {
    @Override
    public Schedule convert(String text) {
      try {
        return Schedule.parse(text);
      } catch (IllegalArgumentException e) {
        throw new TypeConversionException(e.getMessage());
      }
    }
  }

  /** Converts any 64-bit whole number. */
  static final class Whole implements ITypeConverter<Long> {
    @Override
    public Long convert(String text) {
      try {
        return Long.parseLong(text);
      } catch (NumberFormatException e) {
        throw new TypeConversionException(
            "must be a whole number from %d to %d, found %s"
                .formatted(Long.MIN_VALUE, Long.MAX_VALUE, OneLine.orNothing(text)));
      }
    }
  }

  /** Converts the name of a preset. */
  static final class PresetName implements ITypeConverter<RunSettings> {
    @Override
    public RunSettings convert(String text) {
      if (text.contains(",")) {
        throw new TypeConversionException("one preset alone can be taken here, found " + text);
      }
      try {
        return Presets.named(text);
      } catch (IllegalArgumentException e) {
        throw new TypeConversionException(e.getMessage() + Suggestion.of(text, Presets.names()));
      }
    }
  }

  /** Converts the name of a scaling of pixels or of columns. */
  static final class ScalingName implements ITypeConverter<String> {
    @Override
    public String convert(String text) {
      return oneOf(text, Scaling.NAMES);
    }
  }

  /** Converts the name of a scaling of pixels. */
  static final class PixelScalingName implements ITypeConverter<String> {
    @Override
    public String convert(String text) {
      return oneOf(text, PixelScaling.NAMES);
    }
  }

  /** Converts one of those names. */
  static String oneOf(String text, List<String> names) {
    if (!names.contains(text)) {
      throw new TypeConversionException(
          "must be one of %s, found %s%s"
              .formatted(
                  String.join(", ", names), OneLine.orNothing(text), Suggestion.of(text, names)));
    }
    return text;
  }

  /** Converts the name of a way to prepare pictures. */
  static final class PreparationName implements ITypeConverter<Preparation> {
    @Override
    public Preparation convert(String text) {
      try {
        return Preparation.labelled(text);
      } catch (IllegalArgumentException e) {
        throw new TypeConversionException(e.getMessage() + Suggestion.of(text, Preparation.LABELS));
      }
    }
  }

  /** Converts the name of a published data set. */
  static final class DatasetName implements ITypeConverter<PublishedDataset> {
    @Override
    public PublishedDataset convert(String text) {
      try {
        return PublishedDataset.named(text);
      } catch (IllegalArgumentException e) {
        List<String> names = PublishedDataset.ALL.stream().map(PublishedDataset::name).toList();
        throw new TypeConversionException(e.getMessage() + Suggestion.of(text, names));
      }
    }
  }

  /** Converts a number from 0 to {@code most}; a refusal begins with the rule. */
  static double real(String text, double most, String rule) {
    try {
      double number = Double.parseDouble(text);
      if (number >= 0 && number <= most) {
        return number;
      }
    } catch (NumberFormatException e) {
      // refused below, like a number that is too small or too large
    }
    throw new TypeConversionException(rule + ", found " + OneLine.orNothing(text));
  }

  /** Converts a whole number, at least {@code least}. */
  static int whole(String text, int least) {
    return whole(text, least, Integer.MAX_VALUE);
  }

  private static int whole(String text, int least, int most) {
    try {
      int number = Integer.parseInt(text);
      if (number >= least && number <= most) {
        return number;
      }
    } catch (NumberFormatException e) {
      // refused below, like a number out of range
    }
    throw new TypeConversionException(
        "must be a whole number from %d to %d, found %s"
            .formatted(least, most, OneLine.orNothing(text)));
  }
}
