package mlpcuda.cli;

/**
 * Thrown for a request that the surroundings do not allow; the program ends with message and code.
 */
final class RefusedException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final ExitCode code;

  /** {@code message} is one line that says what is refused, why, and what to do. */
  RefusedException(ExitCode code, String message, Throwable cause) {
    super(message, cause);
    this.code = code;
  }

  ExitCode code() {
    return code;
  }
}
