package mlpcuda.compute.cuda.emulator;

/** An event, and the operation that it was recorded as last. */
final class EmulatedEvent extends EmulatedResource {
  /** A record of an event or a wait for it: it does nothing, but has its place. */
  static final class Marker extends EmulatedOperation {
    Marker(String what, EmulatedEvent event) {
      super(what + " " + event, event);
    }

    @Override
    void run() {}
  }

  private EmulatedOperation recorded;

  EmulatedEvent(int number) {
    super("event " + number);
  }

  /** Null: never recorded, nobody waits for it. */
  EmulatedOperation recorded() {
    return recorded;
  }

  /** Makes it the last record. */
  void recorded(EmulatedOperation record) {
    recorded = record;
  }
}
