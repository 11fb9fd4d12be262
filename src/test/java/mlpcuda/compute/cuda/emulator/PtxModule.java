package mlpcuda.compute.cuda.emulator;

import java.util.Set;

/** A parsed module of PTX. */
public final class PtxModule {
  /** Parses; {@link Fault} names what is not known, with its line. */
  public static PtxModule parse(String name, String text) {
    throw new UnsupportedOperationException("stub");
  }

  /** Names of the module's entries. */
  public Set<String> entries() {
    throw new UnsupportedOperationException("stub");
  }

  /** Parameter types of an entry, a letter each as in {@code Arguments.types()}. */
  public String parameters(String entry) {
    throw new UnsupportedOperationException("stub");
  }

  /**
   * Runs an entry to its end.
   *
   * @return the allocations (their first addresses) that were read and written
   */
  public Accesses run(
      String entry,
      mlpcuda.compute.cuda.CudaDriver.Shape shape,
      mlpcuda.compute.cuda.Arguments arguments,
      DeviceMemory memory) {
    throw new UnsupportedOperationException("stub");
  }

  /** First addresses of the allocations that a launch touched. */
  public record Accesses(Set<Long> read, Set<Long> written) {}
}
