package mlpcuda.error;

/**
 * Thrown when a device cannot be used. The message is one line of cause and one of remedy; the
 * program prints it and ends with exit code 3.
 */
public class DeviceException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final String why;
  private final String remedy;

  /** {@code why}: one line; {@code remedy}: one line on what to do. */
  public DeviceException(String why, String remedy) {
    this(why, remedy, null);
  }

  /** {@code why}: one line; {@code remedy}: one line on what to do; {@code cause}: what failed. */
  public DeviceException(String why, String remedy, Throwable cause) {
    super(why + System.lineSeparator() + remedy, cause);
    this.why = why;
    this.remedy = remedy;
  }

  /** The cause, in one line. */
  public final String why() {
    return why;
  }

  /** The remedy, in one line. */
  public final String remedy() {
    return remedy;
  }
}
