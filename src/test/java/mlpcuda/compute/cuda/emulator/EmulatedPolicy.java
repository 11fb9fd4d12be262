package mlpcuda.compute.cuda.emulator;

/** The policy of when the emulated device does enqueued work; {@code seed} is for random ones. */
public record EmulatedPolicy(Kind kind, long seed) {
  enum Kind {
    LATEST,
    EAGER,
    RANDOM
  }

  /** Operations are done when the host waits for them, and only those that it waits for. */
  public static final EmulatedPolicy LATEST = new EmulatedPolicy(Kind.LATEST, 0);

  /** Operations are done as soon as possible: when they are enqueued. */
  public static final EmulatedPolicy EAGER = new EmulatedPolicy(Kind.EAGER, 0);

  /** Operations are done in any order that streams, events and the host allow. */
  public static EmulatedPolicy random(long seed) {
    return new EmulatedPolicy(Kind.RANDOM, seed);
  }

  @Override
  public String toString() {
    return kind == Kind.RANDOM ? "RANDOM " + seed : kind.name();
  }
}
