package mlpcuda.compute;

import java.util.ArrayList;
import java.util.List;

/**
 * What something has made for itself, to be closed with it: the last first, and all of it, whatever
 * fails. A constructor that fails half-way closes it, too, as nobody else can.
 */
public final class Owned implements AutoCloseable {
  private final List<AutoCloseable> made = new ArrayList<>();

  /** Keeps it, and returns it. */
  public <T extends AutoCloseable> T add(T one) {
    made.add(one);
    return one;
  }

  /** Closes all of it, because of {@code failure}, which takes up what fails in doing so. */
  public void closeAfter(Throwable failure) {
    try {
      close();
    } catch (RuntimeException closing) {
      failure.addSuppressed(closing);
    }
  }

  /** Closes all of it, and then throws the first failure. */
  @Override
  public void close() {
    RuntimeException failure = null;
    for (int i = made.size() - 1; i >= 0; i--) {
      AutoCloseable one = made.get(i);
      failure = Ops.attempt(() -> close(one), failure);
    }
    if (failure != null) {
      throw failure;
    }
  }

  private static void close(AutoCloseable one) {
    try {
      one.close();
    } catch (RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new IllegalStateException(e); // no resource of this program's has one
    }
  }
}
