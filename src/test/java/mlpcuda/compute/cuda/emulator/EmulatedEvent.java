package mlpcuda.compute.cuda.emulator;

/** An event, with the operation of its latest record. */
final class EmulatedEvent extends EmulatedResource {
  /** A record of an event or a wait for it: it does nothing, but has its place in the stream. */
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

  /** The latest record; null: it was never recorded, and nobody waits for it. */
  EmulatedOperation recorded() {
    return recorded;
  }

  /** Makes an operation the latest record. */
  void recorded(EmulatedOperation record) {
    recorded = record;
  }
}
