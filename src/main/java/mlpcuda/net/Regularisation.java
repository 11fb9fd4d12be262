package mlpcuda.net;

import java.util.List;

/**
 * The measures, besides the optimizer's weight decay, that keep a network from learning its
 * examples by heart.
 *
 * @param dropouts for each hidden layer, the fraction of its outputs that are zeroed while
 *     training; empty for none
 * @param smoothing ε of label smoothing: the target is (1 − ε) · one-hot + ε / C
 * @param seed the seed of the dropout masks
 */
public record Regularisation(List<Float> dropouts, float smoothing, long seed) {
  /** No regularisation. */
  public static final Regularisation NONE = new Regularisation(List.of(), 0, 0);

  /** Checks that rates lie in [0, 1). */
  public Regularisation {
    dropouts = List.copyOf(dropouts);
    for (float rate : dropouts) {
      if (!(rate >= 0 && rate < 1)) {
        throw new IllegalArgumentException("dropout must lie in [0, 1), found " + rate);
      }
    }
    if (!(smoothing >= 0 && smoothing < 1)) {
      throw new IllegalArgumentException("label smoothing must lie in [0, 1), found " + smoothing);
    }
  }

  /** Checks that there is no dropout, or a rate for each hidden layer of that shape. */
  void check(MlpShape shape) {
    if (!dropouts.isEmpty() && dropouts.size() != shape.layers() - 1) {
      throw new IllegalArgumentException(
          "dropout must have a rate for each of %d hidden layers, found %d"
              .formatted(shape.layers() - 1, dropouts.size()));
    }
  }

  /** The rate between hidden layer {@code l}, from 1, and the next layer; 0 for the inputs. */
  float dropout(int l) {
    return l == 0 || dropouts.isEmpty() ? 0 : dropouts.get(l - 1);
  }
}
