package mlpcuda.compute.cuda;

import java.nio.ByteBuffer;
import mlpcuda.compute.Buffer;
import mlpcuda.compute.cuda.CudaDriver.Pinned;

/**
 * Moves arrays between the host and the device, in pieces, through page-locked memory. Each call
 * waits until its last piece is moved.
 */
final class Staging implements AutoCloseable {
  /** The bytes that are moved at once. */
  private static final int BYTES = 1 << 20;

  private final CudaDriver driver;
  private final long stream;
  private final Pinned pinned;

  Staging(CudaDriver driver, long stream) {
    this.driver = driver;
    this.stream = stream;
    this.pinned = driver.allocatePinned(BYTES);
  }

  /** Moves the elements {@code from} … {@code from + n − 1} of an array. */
  private interface Piece {
    void move(int from, int n);
  }

  /** Divides {@code length} elements into pieces, and moves one after another. */
  private static void inPieces(int length, int elementBytes, Piece piece) {
    int most = BYTES / elementBytes;
    for (int from = 0; from < length; from += Math.min(most, length - from)) {
      piece.move(from, Math.min(most, length - from));
    }
  }

  /** Copies bytes to the start of a buffer. */
  void write(Buffer to, byte[] values) {
    inPieces(
        values.length,
        Byte.BYTES,
        (from, n) -> {
          pinned.bytes().put(0, values, from, n);
          upload(to, from, n);
        });
  }

  /** Copies floats to the start of a buffer. */
  void write(Buffer to, float[] values) {
    inPieces(
        values.length,
        Float.BYTES,
        (from, n) -> {
          pinned.bytes().asFloatBuffer().put(0, values, from, n);
          upload(to, from, n);
        });
  }

  /** Copies {@code n} ints, from element {@code from} of an array on, to the start of a buffer. */
  void write(Buffer to, int[] values, int from, int n) {
    inPieces(
        n,
        Integer.BYTES,
        (at, count) -> {
          pinned.bytes().asIntBuffer().put(0, values, from + at, count);
          upload(to, at, count);
        });
  }

  /** Fills an array with the first floats of a buffer. */
  void read(Buffer buffer, float[] values) {
    inPieces(
        values.length,
        Float.BYTES,
        (from, n) -> download(buffer, from, n).asFloatBuffer().get(0, values, from, n));
  }

  /** Fills an array with the first ints of a buffer. */
  void read(Buffer buffer, int[] values) {
    inPieces(
        values.length,
        Integer.BYTES,
        (from, n) -> download(buffer, from, n).asIntBuffer().get(0, values, from, n));
  }

  /** Copies {@code n} elements from the page-locked memory to a buffer, from {@code from} on. */
  private void upload(Buffer to, int from, int n) {
    int bytes = to.type().bytes();
    driver.copyToDevice(
        DeviceBuffer.address(to) + (long) from * bytes, pinned, 0, n * bytes, stream);
    driver.synchronizeStream(stream);
  }

  /** Copies {@code n} elements of a buffer, from {@code from} on, to the page-locked memory. */
  private ByteBuffer download(Buffer buffer, int from, int n) {
    int bytes = buffer.type().bytes();
    driver.copyToHost(
        pinned, DeviceBuffer.address(buffer) + (long) from * bytes, n * bytes, stream);
    driver.synchronizeStream(stream);
    return pinned.bytes();
  }

  @Override
  public void close() {
    driver.freePinned(pinned);
  }
}
