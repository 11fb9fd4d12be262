package mlpcuda.cli;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import mlpcuda.compute.Ops;
import mlpcuda.data.Dataset;

/** A device and a data set, made ready side by side: each takes about a third of a second. */
record Opened(Ops ops, Dataset dataset) implements AutoCloseable {
  /** Opens the device while the data is read; what either fails with is thrown. */
  static Opened of(DeviceOptions device, DataOptions data, Terminal terminal) {
    CompletableFuture<Ops> opening = CompletableFuture.supplyAsync(device::open);
    try {
      Dataset dataset = data.load(terminal);
      return new Opened(opening.join(), dataset);
    } catch (CompletionException e) {
      throw e.getCause() instanceof RuntimeException cause ? cause : e;
    } catch (RuntimeException e) {
      opening.thenAccept(Ops::close);
      throw e;
    }
  }

  @Override
  public void close() {
    ops.close();
  }
}
