package mlpcuda.cli;

import java.util.Arrays;
import java.util.List;
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
}
