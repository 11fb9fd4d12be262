package mlpcuda.compute.cpu;

import java.util.Arrays;
import java.util.Optional;
import mlpcuda.compute.Buffer;
import mlpcuda.compute.Feed;
import mlpcuda.compute.HostExamples;
import mlpcuda.compute.InputScaling;
import mlpcuda.compute.Targets;
import mlpcuda.features.Features;

/**
 * A feed that gathers batches straight from features in the host's memory. No buffer has all of
 * them, and so a mapped set may be larger than the heap.
 */
final class HostFeed implements Feed {
  private final Gathering gathering;
  private final HostExamples examples;
  private int[] order = {};

  HostFeed(Gathering gathering, HostExamples examples) {
    this.gathering = gathering;
    this.examples = examples;
  }

  @Override
  public int size() {
    return examples.size();
  }

  @Override
  public void begin(int[] order, int from) {
    this.order = order.clone();
  }

  @Override
  public int stage(int B, int n) {
    return 0; // batches are found by their ends
  }

  @Override
  public void gather(int i, Buffer x, Targets targets, Buffer end, int B, InputScaling scaling) {
    int last = ((Ints) end).at(0);
    int[] numbers = Arrays.copyOfRange(order, last - B, last);
    Optional<float[]> weights = examples.weights();
    for (int b = 0; b < B; b++) {
      int label = Byte.toUnsignedInt(examples.labels()[numbers[b]]);
      Gathering.tell(targets, b, label, weights.isPresent() ? weights.get()[numbers[b]] : 1);
    }
    Features features = examples.features();
    Gathering.Rows rows = (row, to) -> features.read(row, to, 0);
    gathering.gather((Floats) x, rows, numbers, features.width(), scaling);
  }

  /**
   * Throws, for no batch has a place of its own.
   *
   * @throws UnsupportedOperationException always
   */
  @Override
  public Batch batch(int i, int B) {
    throw new UnsupportedOperationException("the CPU gathers each batch where it is needed");
  }

  @Override
  public void close() {}
}
