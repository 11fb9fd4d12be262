package mlpcuda.run;

import java.util.OptionalInt;
import java.util.OptionalLong;
import mlpcuda.data.LabelledData;
import mlpcuda.preparation.InkWidth;

/**
 * The examples that a run is about.
 *
 * @param source where they come from
 * @param transposed whether rows and columns of every image are exchanged
 * @param subset the number of training examples to take, the first ones; empty for all
 * @param testAmount the examples that are held back for the test where the data set has no test set
 *     of its own: their number, from 1, or their fraction, below 1
 * @param inkWidth the width to which the ink of every image is brought
 * @param splitSeed the seed that chooses the examples that are held back; empty: that of the
 *     settings. The members of a committee hold back the same ones
 */
public record DataChoice(
    DataSource source,
    boolean transposed,
    OptionalInt subset,
    double testAmount,
    InkWidth inkWidth,
    OptionalLong splitSeed) {
  /** The fraction of examples that are held back for the test unless a user says otherwise. */
  public static final double USUAL_TEST = 0.15;

  /** Examples that the network sees as they are, held back by the seed of the settings. */
  public DataChoice(DataSource source, boolean transposed, OptionalInt subset, double testAmount) {
    this(source, transposed, subset, testAmount, InkWidth.AS_IS, OptionalLong.empty());
  }

  /** A data set as it is, of which all training examples are taken. */
  public static DataChoice all(DataSource source) {
    return new DataChoice(source, false, OptionalInt.empty(), USUAL_TEST);
  }

  /** A copy of the choice, from another source. */
  public DataChoice from(DataSource other) {
    return new DataChoice(other, transposed, subset, testAmount, inkWidth, splitSeed);
  }

  /** A copy for a member of a committee. */
  DataChoice forMember(InkWidth width, long seed) {
    return new DataChoice(source, transposed, subset, testAmount, width, OptionalLong.of(seed));
  }

  /** Reads the data set whole, with its images the right way up; their ink is as it is. */
  public LabelledData load(LoadingListener listener) {
    LabelledData read = source.load(listener);
    return transposed ? read.transposed() : read;
  }
}
