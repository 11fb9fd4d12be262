package mlpcuda.compute.cuda.emulator;

import java.util.function.BiFunction;
import java.util.function.Consumer;
import mlpcuda.compute.cuda.CudaDriver.Pinned;

/** A stream with a library of NVIDIA's, {@code L}, and four tensors, for tests of the library. */
final class EmulatedLibrary<L> {
  private static final int FLOATS = 16;

  final EmulatedDriver cuda;
  final long stream;
  final L library;
  final long a;
  final long b;
  final long c;
  final long d;
  final Pinned pinned;

  private EmulatedLibrary(EmulatedDriver cuda, BiFunction<EmulatedDriver, Long, L> opener) {
    this.cuda = cuda;
    stream = cuda.createStream();
    library = opener.apply(cuda, stream);
    a = cuda.allocate(4 * FLOATS);
    b = cuda.allocate(4 * FLOATS);
    c = cuda.allocate(4 * FLOATS);
    d = cuda.allocate(4 * FLOATS);
    pinned = cuda.allocatePinned(4 * FLOATS);
  }

  /** A scenario with the library of a stream; the stream and the library are released after it. */
  static <L> Consumer<EmulatedDriver> with(
      BiFunction<EmulatedDriver, Long, L> opener,
      Consumer<L> closer,
      Consumer<EmulatedLibrary<L>> scenario) {
    return driver -> {
      var things = new EmulatedLibrary<L>(driver, opener);
      scenario.accept(things);
      things.cuda.synchronizeStream(things.stream);
      closer.accept(things.library);
      things.giveBack();
    };
  }

  void put(long to, float... values) {
    pinned.bytes().asFloatBuffer().put(values);
    cuda.copyToDevice(to, pinned, 0, 4 * values.length, stream);
    cuda.synchronizeStream(stream);
  }

  float[] get(long from, int count) {
    cuda.copyToHost(pinned, from, 4 * count, stream);
    cuda.synchronizeStream(stream);
    float[] values = new float[count];
    pinned.bytes().asFloatBuffer().get(values);
    return values;
  }

  private void giveBack() {
    cuda.free(a);
    cuda.free(b);
    cuda.free(c);
    cuda.free(d);
    cuda.freePinned(pinned);
    cuda.destroyStream(stream);
  }
}
