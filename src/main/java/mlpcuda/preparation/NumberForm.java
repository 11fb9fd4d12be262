package mlpcuda.preparation;

import java.util.List;
import mlpcuda.data.ColumnScaling;
import mlpcuda.data.Layout;

/**
 * The rows of numbers that a network takes.
 *
 * @param layout what the numbers are: columns of a table, or images whose pixels are floats
 * @param scaling how each column becomes an input
 * @param labels the names of the classes; empty where they have none but their numbers
 */
public record NumberForm(Layout layout, ColumnScaling scaling, List<String> labels)
    implements ExampleForm {
  /** Copies the names. */
  public NumberForm {
    labels = List.copyOf(labels);
  }
}
