package mlpcuda.compute;

import java.util.ArrayList;
import java.util.List;

/**
 * The resources that an object has made for itself, to be closed with it: the last first, and each
 * of them even if closing another one fails. A constructor that fails half-way closes them, too, as
 * nobody else can.
 */
public final class Owned implements AutoCloseable {
  private final List<AutoCloseable> made = new ArrayList<>();

  /** Keeps a resource, to close it later, and returns it. */
  public <T extends AutoCloseable> T add(T one) {
    made.add(one);
    return one;
  }

  /** Closes all resources because of {@code failure}; a failure to close is suppressed under it. */
  public void closeAfter(Throwable failure) {
    try {
      close();
    } catch (RuntimeException closing) {
      failure.addSuppressed(closing);
    }
  }

  /** Closes all resources, and then throws the first failure. */
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
      throw new IllegalStateException(e); // no resource of this program throws a checked exception
    }
  }
}
