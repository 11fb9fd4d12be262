package mlpcuda.spark;

import mlpcuda.error.BadFileException;
import mlpcuda.error.DeviceException;
import mlpcuda.error.DivergedException;
import mlpcuda.error.SettingException;

/** Finds what made a job of Spark fail. */
final class JobFailure {
  private JobFailure() {}

  /**
   * The cause of a job's failure, if users can do something about it: the message of a bad row, as
   * an exception of its own, or the library's exception about a training that diverged, a device
   * that cannot be used or lacks memory, or a setting that does not fit. Any other failure is
   * thrown as it is, although a failed job's is checked: Spark's methods do not declare it, and so
   * no caller can expect it to be wrapped.
   */
  @SuppressWarnings("unchecked")
  static <E extends Exception> RuntimeException cause(Exception failure) throws E {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof BadRowException) {
        return new IllegalArgumentException(cause.getMessage(), failure);
      }
      if (cause instanceof DivergedException
          || cause instanceof DeviceException
          || cause instanceof BadFileException
          || cause instanceof SettingException) {
        return (RuntimeException) cause;
      }
    }
    throw (E) failure;
  }
}
