package mlpcuda.cli;

import mlpcuda.files.OneLine;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * A range of indices of images in a file.
 *
 * @param first the first index, at least 0
 * @param last the last index, at least {@code first}
 */
record IndexRange(int first, int last) {
  /** Converts one index, or two joined by two points. */
  static final class Text implements ITypeConverter<IndexRange> {
    @Override
    public IndexRange convert(String text) {
      String[] ends = text.split("\\.\\.", -1);
      try {
        int first = Integer.parseInt(ends[0]);
        int last = Integer.parseInt(ends[ends.length - 1]);
        if (ends.length <= 2 && 0 <= first && first <= last) {
          return new IndexRange(first, last);
        }
      } catch (NumberFormatException e) {
        // refused below, like numbers out of order
      }
      throw new TypeConversionException(
          "must be a whole number from 0 to %d, or two, in order, as in 0..9, found %s"
              .formatted(Integer.MAX_VALUE, OneLine.orNothing(text)));
    }
  }
}
