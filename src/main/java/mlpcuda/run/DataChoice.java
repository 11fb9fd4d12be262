package mlpcuda.run;

import java.util.OptionalInt;
import mlpcuda.data.LabelledData;

/**
 * The examples that a run is about.
 *
 * @param source where they come from
 * @param transposed whether rows and columns of every image are exchanged
 * @param subset the number of training examples to take, the first ones; empty for all
 * @param testAmount the examples that are held back for the test where the data set has no test set
 *     of its own: their number, from 1, or their fraction, below 1
 */
public record DataChoice(
    DataSource source, boolean transposed, OptionalInt subset, double testAmount) {
  /** The fraction of examples that are held back for the test unless a user says otherwise. */
  public static final double USUAL_TEST = 0.15;

  /** A data set as it is, of which all training examples are taken. */
  public static DataChoice all(DataSource source) {
    return new DataChoice(source, false, OptionalInt.empty(), USUAL_TEST);
  }

  /** A copy of the choice, from another source. */
  public DataChoice from(DataSource other) {
    return new DataChoice(other, transposed, subset, testAmount);
  }

  /** Reads the data set whole, with its images as the network is to see them. */
  public LabelledData load(LoadingListener listener) {
    LabelledData read = source.load(listener);
    return transposed ? read.transposed() : read;
  }
}
