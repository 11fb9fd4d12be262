package mlpcuda.cli;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Supplier;
import mlpcuda.compute.Ops;
import mlpcuda.data.LabelledData;

/** A device and a data set, opened side by side: each takes about a third of a second. */
record Opened(OpenDevice device, LabelledData dataset) implements AutoCloseable {
  /** Opens the device and reads the data that the options of a command name. */
  static Opened of(DeviceOptions device, DataOptions data, Terminal terminal) {
    return of(device::open, () -> data.load(terminal), device.startUp());
  }

  /**
   * Reads the data while the device is opened, and throws the failure of either. The device is
   * opened in the calling thread, because the thread that opens a device must drive it.
   */
  static Opened of(Supplier<OpenDevice> device, Supplier<LabelledData> data, StartUp startUp) {
    startUp.ended("options");
    long start = System.nanoTime();
    CompletableFuture<LabelledData> reading =
        CompletableFuture.supplyAsync(
            () -> {
              LabelledData read = data.get();
              startUp.ended("reading the data", start);
              return read;
            });
    OpenDevice opened = device.get();
    startUp.ended("device");
    try {
      LabelledData read = reading.join();
      startUp.ended("waiting for the data");
      return new Opened(opened, read);
    } catch (CompletionException e) {
      // Other failures of a thread, such as a heap that is too small, stay wrapped.
      RuntimeException failure = e.getCause() instanceof RuntimeException cause ? cause : e;
      try {
        opened.close();
      } catch (RuntimeException closing) {
        failure.addSuppressed(closing);
      }
      throw failure;
    }
  }

  Ops ops() {
    return device.ops();
  }

  @Override
  public void close() {
    device.close();
  }
}
