package mlpcuda.compute;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * The resources that an object has made for itself, to be closed with it: the last first, and each
 * of them even if closing another one fails. A constructor that fails half-way closes them, too, as
 * nobody else can.
 */
public final class Resources implements AutoCloseable {
  private final List<AutoCloseable> made = new ArrayList<>();

  /** Keeps a resource, to close it later, and returns it. */
  public <T extends AutoCloseable> T add(T one) {
    made.add(one);
    return one;
  }

  /**
   * Opens a resource and keeps it. If that fails, all resources are closed that were opened before:
   * so a constructor that opens several needs no block of its own to close them.
   */
  public <T extends AutoCloseable> T open(Supplier<T> opener) {
    return add(orClose(opener));
  }

  /** Opens a resource and keeps it as {@link #open} does, where there is one. */
  public <T extends AutoCloseable> Optional<T> openIfAny(Supplier<Optional<T>> opener) {
    return orClose(opener).map(this::add);
  }

  /** Does something with resources that were opened; closes all of them if it fails. */
  public void attempt(Runnable action) {
    orClose(
        () -> {
          action.run();
          return true;
        });
  }

  private <T> T orClose(Supplier<T> action) {
    try {
      return action.get();
    } catch (RuntimeException | Error e) {
      closeAfter(e);
      throw e;
    }
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
