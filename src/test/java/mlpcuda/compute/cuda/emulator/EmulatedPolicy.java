package mlpcuda.compute.cuda.emulator;

/** When the emulated device does what was asked of it; {@code seed} is for random ones. */
public record EmulatedPolicy(Kind kind, long seed) {
  enum Kind {
    LATEST,
    EAGER,
    RANDOM
  }

  /** Nothing is done until the host waits for it, and then only what it waits for. */
  public static final EmulatedPolicy LATEST = new EmulatedPolicy(Kind.LATEST, 0);

  /** Everything is done as soon as it may be: when it is asked. */
  public static final EmulatedPolicy EAGER = new EmulatedPolicy(Kind.EAGER, 0);

  /** Any order that streams, events and the host allow. */
  public static EmulatedPolicy random(long seed) {
    return new EmulatedPolicy(Kind.RANDOM, seed);
  }

  @Override
  public String toString() {
    return kind == Kind.RANDOM ? "RANDOM " + seed : kind.name();
  }
}
