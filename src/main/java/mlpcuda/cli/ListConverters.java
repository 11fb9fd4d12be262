package mlpcuda.cli;

import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import mlpcuda.data.ClassWeights;
import mlpcuda.data.Layout;
import mlpcuda.files.OneLine;
import mlpcuda.input.ReadOptions.ArrayNames;
import mlpcuda.input.ReadOptions.Format;
import mlpcuda.preparation.InkWidth;
import mlpcuda.run.Presets;
import mlpcuda.run.RunSettings;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * Converters from texts of the command line to checked lists. Each list is in a record, because
 * picocli would join the plain lists of an option that is given twice.
 */
final class ListConverters {
  private ListConverters() {}

  /**
   * The rates of dropout.
   *
   * @param list one rate for all hidden layers, or one for each
   */
  record Rates(List<Float> list) {}

  /** Converts rates joined by commas. */
  static final class DropoutRates implements ITypeConverter<Rates> {
    @Override
    public Rates convert(String text) {
      String rule = "must be rates from 0 on, below 1, joined by commas";
      float most = Math.nextDown(1.0f);
      return new Rates(
          Arrays.stream(text.split(",", -1))
              .map(each -> (float) Converters.real(each, most, rule))
              .toList());
    }
  }

  /**
   * The widths of ink.
   *
   * @param list the widths, at least one
   */
  record InkWidths(List<InkWidth> list) {}

  /** Converts widths of ink. */
  static final class InkWidthList implements ITypeConverter<InkWidths> {
    @Override
    public InkWidths convert(String text) {
      try {
        return new InkWidths(InkWidth.parseAll(text));
      } catch (IllegalArgumentException e) {
        throw new TypeConversionException(e.getMessage());
      }
    }
  }

  /**
   * The widths of hidden layers.
   *
   * @param list the widths; empty for no hidden layer
   */
  record Hidden(List<Integer> list) {}

  /** Converts widths of layers. */
  static final class Widths implements ITypeConverter<Hidden> {
    @Override
    public Hidden convert(String text) {
      try {
        return new Hidden(Presets.widths(text));
      } catch (IllegalArgumentException e) {
        throw new TypeConversionException(e.getMessage());
      }
    }
  }

  /**
   * The presets to measure.
   *
   * @param list the presets, each once
   */
  record PresetList(List<RunSettings> list) {}

  /** Converts presets' names joined by commas. */
  static final class PresetNames implements ITypeConverter<PresetList> {
    @Override
    public PresetList convert(String text) {
      var each = new Converters.PresetName();
      return new PresetList(
          Arrays.stream(text.split(",", -1)).map(each::convert).distinct().toList());
    }
  }

  /**
   * The sizes of batches.
   *
   * @param list the sizes, each once
   */
  record Sizes(List<Integer> list) {}

  /** Converts whole numbers, at least 1, joined by commas. */
  static final class BatchSizes implements ITypeConverter<Sizes> {
    @Override
    public Sizes convert(String text) {
      return new Sizes(
          Arrays.stream(text.split(",", -1))
              .map(each -> Converters.whole(each, 1))
              .distinct()
              .toList());
    }
  }

  /**
   * The columns of a table.
   *
   * @param names the names, or numbers from 1 on
   */
  record Columns(Set<String> names) {}

  /** Converts names of columns joined by commas. */
  static final class ColumnNames implements ITypeConverter<Columns> {
    @Override
    public Columns convert(String text) {
      return new Columns(new LinkedHashSet<>(Arrays.asList(text.split(",", -1))));
    }
  }

  /** Converts the names of two arrays joined by a comma. */
  static final class ArrayPair implements ITypeConverter<ArrayNames> {
    @Override
    public ArrayNames convert(String text) {
      String[] names = text.split(",", -1);
      if (names.length != 2 || names[0].isEmpty() || names[1].isEmpty()) {
        throw new TypeConversionException(
            "must be two names of arrays, such as x_train,y_train, found "
                + OneLine.orNothing(text));
      }
      return new ArrayNames(Optional.of(names[0]), Optional.of(names[1]));
    }
  }

  /** Converts a height and a width in pixels. */
  static final class ImageSize implements ITypeConverter<Layout.Images> {
    @Override
    public Layout.Images convert(String text) {
      if (!text.matches("[1-9][0-9]{0,4}x[1-9][0-9]{0,4}")) {
        throw new TypeConversionException(
            "must be a height and a width in pixels, such as 28x28, found "
                + OneLine.orNothing(text));
      }
      String[] sides = text.split("x");
      return Layout.Images.grey(Integer.parseInt(sides[0]), Integer.parseInt(sides[1]));
    }
  }

  /** Converts a decimal separator. */
  static final class Decimal implements ITypeConverter<Character> {
    @Override
    public Character convert(String text) {
      if (!text.equals(".") && !text.equals(",")) {
        throw new TypeConversionException(
            "must be a point or a comma, found " + OneLine.orNothing(text));
      }
      return text.charAt(0);
    }
  }

  /** Converts the name of a format of examples. */
  static final class FormatName implements ITypeConverter<Format> {
    private static final List<String> NAMES =
        Arrays.stream(Format.values()).map(f -> f.name().toLowerCase(Locale.ROOT)).toList();

    @Override
    public Format convert(String text) {
      int index = NAMES.indexOf(text);
      if (index < 0) {
        throw new TypeConversionException(
            "must be one of %s, found %s%s"
                .formatted(
                    String.join(", ", NAMES), OneLine.orNothing(text), Suggestion.of(text, NAMES)));
      }
      return Format.values()[index];
    }
  }

  /** Converts the weights of classes. */
  static final class Weights implements ITypeConverter<ClassWeights> {
    @Override
    public ClassWeights convert(String text) {
      try {
        return ClassWeights.parse(text);
      } catch (IllegalArgumentException e) {
        throw new TypeConversionException(e.getMessage());
      }
    }
  }
}
