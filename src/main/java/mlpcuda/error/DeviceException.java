package mlpcuda.error;

/**
 * Thrown when a device cannot be used. The message is one line of cause and one of remedy; the
 * program prints it and ends with exit code 3.
 */
public class DeviceException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final String why;
  private final String remedy;

  /**
   * Creates the exception; {@code why} says in one line what is wrong, {@code remedy} in one line
   * what to do.
   */
  public DeviceException(String why, String remedy) {
    this(why, remedy, null);
  }

  /**
   * Creates the exception with the failure behind it; {@code why} says in one line what is wrong,
   * {@code remedy} in one line what to do.
   */
  public DeviceException(String why, String remedy, Throwable cause) {
    super(why + System.lineSeparator() + remedy, cause);
    this.why = why;
    this.remedy = remedy;
  }

  /** Says in one line what is wrong. */
  public final String why() {
    return why;
  }

  /** Says in one line what to do. */
  public final String remedy() {
    return remedy;
  }
}
