package mlpcuda.compute.cuda;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.IntSupplier;
import mlpcuda.compute.Replay;
import mlpcuda.compute.Resources;

/**
 * Records operations as CUDA graphs, one for each slot, batch size and count, and replays them. A
 * graph is recorded again if a buffer has got a rounded copy since: the graph would not write it.
 */
final class GraphReplay implements Replay {
  private record Key(int slot, int B, int n) {}

  private final CudaDriver driver;
  private final long stream;
  private final IntSupplier copiesMade;
  private final Map<Key, Long> graphs = new HashMap<>();
  private final Set<Integer> warm = new HashSet<>(); // batch sizes that have run once, unrecorded
  private OptionalInt nodes = OptionalInt.empty();
  private int copies; // the number of copies that had been made when the graphs were recorded

  /**
   * A replay on that stream.
   *
   * @param copiesMade the number of rounded copies of buffers that were ever made
   */
  GraphReplay(CudaDriver driver, long stream, IntSupplier copiesMade) {
    this.driver = driver;
    this.stream = stream;
    this.copiesMade = copiesMade;
  }

  /**
   * Runs the first batch of each size directly, without a recording: which kernels it needs depends
   * on its size, and drivers before CUDA 12.3 cannot load a kernel, nor cuBLAS set one up, during a
   * capture; nor can memory be allocated then, as a rounded copy needs it.
   */
  @Override
  public void run(int slot, int B, int n, Runnable operations) {
    forgetOldGraphs();
    if (warm.add(B)) {
      operations.run();
      forgetOldGraphs(); // the operations may have made copies
      return;
    }
    var key = new Key(slot, B, n);
    Long graph = graphs.get(key);
    if (graph == null) {
      graph = record(operations);
      graphs.put(key, graph);
      nodes = OptionalInt.of(driver.nodes(graph) / n);
    }
    driver.launchGraph(graph, stream);
  }

  /** Destroys all graphs if a copy was made since they were recorded. */
  private void forgetOldGraphs() {
    if (copies != copiesMade.getAsInt()) {
      close();
      copies = copiesMade.getAsInt();
    }
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
    return nodes;
  }

  @Override
  public void close() {
    if (graphs.isEmpty()) {
      return;
    }
    driver.synchronizeStream(stream); // a graph must not end while it runs
    var ending = new Resources();
    graphs.values().forEach(graph -> ending.add(() -> driver.destroyGraph(graph)));
    graphs.clear();
    ending.close();
  }
}
