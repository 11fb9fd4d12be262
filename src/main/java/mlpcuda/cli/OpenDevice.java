package mlpcuda.cli;

import mlpcuda.compute.Ops;
import mlpcuda.run.DeviceChoice;

/**
 * A device that a command has opened.
 *
 * @param ops the device; the caller closes it
 * @param choice what was opened
 * @param reason why it was chosen, for the line that names the device
 */
record OpenDevice(Ops ops, DeviceChoice choice, String reason) implements AutoCloseable {
  /** The line that names the device, which uses that description. */
  String line(String description) {
    return "%s (%s)".formatted(description, reason);
  }

  @Override
  public void close() {
    ops.close();
  }
}
