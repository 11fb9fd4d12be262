package mlpcuda.cli;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import mlpcuda.compute.Ops;
import mlpcuda.data.Dataset;

/** A device and a data set, opened side by side: each takes about a third of a second. */
record Opened(Ops ops, Dataset dataset) implements AutoCloseable {
  /**
   * Reads the data while the device is opened, and throws the failure of either. The device is
   * opened in the calling thread, because the thread that opens a device must drive it.
   */
  static Opened of(DeviceOptions device, DataOptions data, Terminal terminal) {
    StartUp startUp = device.startUp();
    startUp.ended("options");
    long start = System.nanoTime();
    CompletableFuture<Dataset> reading =
        CompletableFuture.supplyAsync(
            () -> {
              Dataset read = data.load(terminal);
              startUp.ended("reading the data", start);
              return read;
            });
    Ops ops = device.open();
    startUp.ended("device");
    try {
      Dataset read = reading.join();
      startUp.ended("waiting for the data");
      return new Opened(ops, read);
    } catch (CompletionException e) {
      // Other failures of a thread, such as a heap that is too small, stay wrapped.
      RuntimeException failure = e.getCause() instanceof RuntimeException cause ? cause : e;
      try {
        ops.close();
      } catch (RuntimeException closing) {
        failure.addSuppressed(closing);
      }
      throw failure;
    }
  }

  @Override
  public void close() {
    ops.close();
  }
}
