package mlpcuda.cli;

import java.io.IOException;
import java.io.OutputStream;
import java.util.Optional;
import mlpcuda.files.Reason;

/**
 * Standard output that remembers why it could not be written. A {@link java.io.PrintWriter} or
 * {@link java.io.PrintStream} hides the failure, and a full disk would look like success. Once a
 * write has failed the rest is dropped: a training goes on, because its model is worth more than
 * its lines.
 */
final class StandardOutput extends OutputStream {
  private final OutputStream to;
  private IOException failure;

  StandardOutput(OutputStream to) {
    this.to = to;
  }

  @Override
  public synchronized void write(int b) {
    write(new byte[] {(byte) b}, 0, 1);
  }

  @Override
  public synchronized void write(byte[] bytes, int from, int count) {
    if (failure == null) {
      try {
        to.write(bytes, from, count);
      } catch (IOException e) {
        failure = e;
      }
    }
  }

  @Override
  public synchronized void flush() {
    if (failure == null) {
      try {
        to.flush();
      } catch (IOException e) {
        failure = e;
      }
    }
  }

  /**
   * The complaint about a failed write. There is none if all was written, or if the reader of a
   * pipe has left, as {@code head} does when it has enough.
   */
  synchronized Optional<String> complaint() {
    if (failure == null || String.valueOf(failure.getMessage()).contains("Broken pipe")) {
      return Optional.empty();
    }
    return Optional.of("standard output cannot be written: " + Reason.of(failure));
  }
}
