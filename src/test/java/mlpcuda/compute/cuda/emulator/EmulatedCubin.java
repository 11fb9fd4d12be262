package mlpcuda.compute.cuda.emulator;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import mlpcuda.compute.cuda.GpuProperties;
import mlpcuda.compute.cuda.ptx.Fault;
import mlpcuda.compute.cuda.ptx.module.PtxModule;

/**
 * Machine code of a module, which cannot be run here: what the program offers to a driver is
 * compared with the device and with the module's PTX, which runs in its place.
 */
record EmulatedCubin(String module, byte[] bytes) {
  private static final int ELF = 0x464c457f;
  private static final int HEADER = 64;

  /** The place of e_machine in the header, and its value for CUDA. */
  private static final int MACHINE = 18;

  private static final int CUDA = 190;

  /** The place of e_flags in the header, whose low byte is the architecture: 90 for sm_90. */
  private static final int FLAGS = 48;

  /** Throws a {@link Fault} if it is not machine code of that module that the device runs. */
  void check(GpuProperties device, PtxModule ptx) {
    ByteBuffer header = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    if (bytes.length < HEADER || header.getInt(0) != ELF || header.getShort(MACHINE) != CUDA) {
      throw new Fault("module %s: this is no cubin".formatted(module));
    }
    int architecture = header.getInt(FLAGS) & 0xff;
    if (architecture / 10 != device.capability().major()
        || architecture % 10 > device.capability().minor()) {
      throw new Fault(
          "module %s: a cubin for sm_%d, on a device of compute capability %s"
              .formatted(module, architecture, device.capability()));
    }
    String text = new String(bytes, StandardCharsets.ISO_8859_1);
    for (String entry : ptx.entries()) {
      if (!text.contains("\0.text." + entry + "\0")) {
        throw new Fault("module %s: its cubin lacks the entry %s".formatted(module, entry));
      }
    }
  }
}
