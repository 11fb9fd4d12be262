package mlpcuda.run;

import java.util.OptionalInt;
import mlpcuda.data.LabelledData;
import mlpcuda.data.PublishedDataset;

/**
 * The examples that a run is about.
 *
 * @param source where they come from
 * @param transposed whether rows and columns of every image are exchanged
 * @param subset the number of training examples to take, the first ones; empty for all
 */
public record DataChoice(DataSource source, boolean transposed, OptionalInt subset) {
  /** Reads the data set whole, with its images as the network is to see them. */
  public LabelledData load(PublishedDataset.Progress downloads) {
    LabelledData read = source.load(downloads);
    return transposed ? read.transposed() : read;
  }
}
