package mlpcuda.compute.cuda;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import mlpcuda.compute.Replay;
import mlpcuda.compute.Resources;

/** Records operations as CUDA graphs, one for each slot, batch size and count, and replays them. */
final class GraphReplay implements Replay {
  private record Key(int slot, int B, int n) {}

  private final Resources resources = new Resources();
  private final CudaDriver driver;
  private final long stream;
  private final Map<Key, Long> graphs = new HashMap<>();
  private final Set<Integer> warm = new HashSet<>(); // batch sizes that have run once, unrecorded
  private int nodes;

  GraphReplay(CudaDriver driver, long stream) {
    this.driver = driver;
    this.stream = stream;
  }

  /**
   * Runs the first batch of each size directly, without a recording: which kernels it needs depends
   * on its size, and drivers before CUDA 12.3 cannot load a kernel, nor cuBLAS set one up, during a
   * capture.
   */
  @Override
  public void run(int slot, int B, int n, Runnable operations) {
    if (warm.add(B)) {
      operations.run();
      return;
    }
    var key = new Key(slot, B, n);
    Long graph = graphs.get(key);
    if (graph == null) {
      long recorded = record(operations);
      resources.add(() -> driver.destroyGraph(recorded));
      graph = recorded;
      graphs.put(key, graph);
      nodes = driver.nodes(graph) / n;
    }
    driver.launchGraph(graph, stream);
  }

  private long record(Runnable operations) {
    driver.beginCapture(stream);
    try {
      operations.run();
    } catch (RuntimeException e) {
      try {
        // a stream left capturing can do nothing else
        driver.destroyGraph(driver.endCapture(stream));
      } catch (CudaException ending) {
        e.addSuppressed(ending);
      }
      throw e;
    }
    return driver.endCapture(stream);
  }

  @Override
  public OptionalInt nodes() {
    return graphs.isEmpty() ? OptionalInt.empty() : OptionalInt.of(nodes);
  }

  @Override
  public void close() {
    driver.synchronizeStream(stream); // a graph must not end while it runs
    resources.close();
  }
}
