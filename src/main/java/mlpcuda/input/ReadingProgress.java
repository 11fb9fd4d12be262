package mlpcuda.input;

/** Is told how far a reader has come, in order that a long read can be shown. */
@FunctionalInterface
public interface ReadingProgress {
  /** Shows nothing. */
  ReadingProgress NONE = (done, all) -> {};

  /**
   * Tells how far a reader has come; a reader that goes over its input twice begins anew.
   *
   * @param done how much was read: pictures, rows or bytes
   * @param all how much there is to read, in the same unit; 0 if that is not known
   */
  void at(long done, long all);
}
