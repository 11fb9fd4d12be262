package mlpcuda.error;

/**
 * Thrown when another process, or another run of this one, uses the folder that a run wants. The
 * message is one line; the program prints it and ends with exit code 6.
 */
public final class FolderInUseException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** {@code folder} is the folder as the message shall name it. */
  public FolderInUseException(Object folder) {
    super(
        folder
            + ": another mlp-cuda process is using this folder; wait until it ends, or name another"
            + " folder");
  }
}
