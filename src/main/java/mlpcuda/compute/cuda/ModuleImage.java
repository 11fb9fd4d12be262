package mlpcuda.compute.cuda;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.function.Supplier;

/**
 * A module of kernels as a driver takes it: machine code, which it loads, or else PTX, which it
 * compiles.
 *
 * @param name the name, as {@code layers}
 * @param cubin machine code that runs on the device; null: the driver is to compile the PTX
 * @param ptx reads the module's PTX: with machine code, nobody needs that long text
 */
public record ModuleImage(String name, byte[] cubin, Supplier<String> ptx) {
  /** A module without machine code. */
  public static ModuleImage of(String name, String ptx) {
    return new ModuleImage(name, null, () -> ptx);
  }

  /**
   * Reads the program's module of that name for a device of compute capability {@code major.minor}.
   * Machine code runs on devices of its own major version and of no lower minor one; the closest
   * there is is taken.
   */
  static ModuleImage read(String name, int major, int minor) {
    byte[] cubin = null;
    for (int of = minor; of >= 0 && cubin == null; of--) {
      cubin = resource(cubinName(name, "sm_" + major + of));
    }
    return new ModuleImage(name, cubin, () -> text(name + ".ptx"));
  }

  /** The file name of a module's machine code for an architecture, as {@code sm_90}. */
  static String cubinName(String module, String architecture) {
    return module + "." + architecture + ".cubin";
  }

  /** The module with its PTX alone. */
  ModuleImage withoutCubin() {
    return new ModuleImage(name, null, ptx);
  }

  private static String text(String resource) {
    byte[] text = resource(resource);
    if (text == null) {
      throw new IllegalStateException("the program lacks its kernels: no " + resource);
    }
    return new String(text, StandardCharsets.UTF_8);
  }

  /** The content of a resource; null if there is none of that name. */
  private static byte[] resource(String name) {
    try (InputStream in = ModuleImage.class.getResourceAsStream(name)) {
      return in == null ? null : in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException("the kernels could not be read: " + name, e);
    }
  }
}
