package mlpcuda.cli;

import java.util.List;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Texts of the command line become checked values; a refusal gives the rule and the value. */
final class Converters {
  private Converters() {}

  /** A whole number from 1 on. */
  static final class Positive implements ITypeConverter<Integer> {
    @Override
    public Integer convert(String text) {
      return whole(text, 1);
    }
  }

  /** A whole number from 0 on. */
  static final class NotNegative implements ITypeConverter<Integer> {
    @Override
    public Integer convert(String text) {
      return whole(text, 0);
    }
  }

  /** A finite number above 0. */
  static final class PositiveReal implements ITypeConverter<Double> {
    @Override
    public Double convert(String text) {
      try {
        double number = Double.parseDouble(text);
        if (number > 0 && Double.isFinite(number)) {
          return number;
        }
      } catch (NumberFormatException e) {
        // refused below, like a number that is not positive
      }
      throw new TypeConversionException("must be a number above 0, found " + text);
    }
  }

  /** Widths of hidden layers. */
  static final class Widths implements ITypeConverter<List<Integer>> {
    @Override
    public List<Integer> convert(String text) {
      try {
        return Preset.widths(text);
      } catch (IllegalArgumentException e) {
        throw new TypeConversionException(e.getMessage());
      }
    }
  }

  /** A preset's name. */
  static final class PresetName implements ITypeConverter<Preset> {
    @Override
    public Preset convert(String text) {
      try {
        return Preset.named(text);
      } catch (IllegalArgumentException e) {
        throw new TypeConversionException(e.getMessage());
      }
    }
  }

  private static int whole(String text, int least) {
    try {
      int number = Integer.parseInt(text);
      if (number >= least) {
        return number;
      }
    } catch (NumberFormatException e) {
      // refused below, like a number that is too small
    }
    throw new TypeConversionException(
        "must be a whole number from %d to %d, found %s".formatted(least, Integer.MAX_VALUE, text));
  }
}
