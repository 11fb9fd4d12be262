package mlpcuda.compute.cuda;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.function.Supplier;
import mlpcuda.compute.cuda.GpuProperties.Capability;

/**
 * A module of kernels in the form that a driver takes: machine code, which it loads, or PTX, which
 * it compiles.
 *
 * @param name the name, as {@code layers}
 * @param cubin machine code that runs on the device; empty: the driver is to compile the PTX
 * @param ptx reads the module's PTX, which is long and not needed beside machine code
 */
public record ModuleImage(String name, Optional<byte[]> cubin, Supplier<String> ptx) {
  /** A module without machine code. */
  public static ModuleImage of(String name, String ptx) {
    return new ModuleImage(name, Optional.empty(), () -> ptx);
  }

  /**
   * Reads the program's module of that name for a device. Machine code runs on devices of its own
   * major version and of its own or a higher minor one; the closest one is taken.
   */
  static ModuleImage read(String name, Capability device) {
    Optional<byte[]> cubin = Optional.empty();
    for (int minor = device.minor(); minor >= 0 && cubin.isEmpty(); minor--) {
      cubin = resource(cubinName(name, "sm_" + device.major() + minor));
    }
    return new ModuleImage(name, cubin, () -> text(name + ".ptx"));
  }

  /** The file name of a module's machine code for an architecture, as {@code sm_90}. */
  static String cubinName(String module, String architecture) {
    return module + "." + architecture + ".cubin";
  }

  /** The module with its PTX alone. */
  ModuleImage withoutCubin() {
    return new ModuleImage(name, Optional.empty(), ptx);
  }

  private static String text(String resource) {
    byte[] text =
        resource(resource)
            .orElseThrow(
                () -> new IllegalStateException("the program lacks its kernels: no " + resource));
    return new String(text, StandardCharsets.UTF_8);
  }

  /** The content of a resource; empty if there is none of that name. */
  private static Optional<byte[]> resource(String name) {
    try (InputStream in = ModuleImage.class.getResourceAsStream(name)) {
      return in == null ? Optional.empty() : Optional.of(in.readAllBytes());
    } catch (IOException e) {
      throw new UncheckedIOException("the kernels could not be read: " + name, e);
    }
  }
}
