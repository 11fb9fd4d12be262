package mlpcuda.compute.cuda.ptx.module;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import mlpcuda.compute.cuda.Arguments;
import mlpcuda.compute.cuda.CudaDriver.Shape;
import mlpcuda.compute.cuda.ptx.Fault;
import mlpcuda.compute.cuda.ptx.decode.EntryDecoder;
import mlpcuda.compute.cuda.ptx.machine.Accesses;
import mlpcuda.compute.cuda.ptx.machine.Launch;
import mlpcuda.compute.cuda.ptx.machine.Program;
import mlpcuda.compute.cuda.ptx.memory.DeviceMemory;
import mlpcuda.compute.cuda.ptx.parse.LaunchBounds;
import mlpcuda.compute.cuda.ptx.parse.PtxParser;

/** A parsed module of PTX. */
public final class PtxModule {
  /** The most instructions that the warps of a launch may execute, unless told otherwise. */
  public static final long BUDGET = 100_000_000;

  private final String name;
  private final Map<String, Program> programs;

  private PtxModule(String name, Map<String, Program> programs) {
    this.name = name;
    this.programs = programs;
  }

  /** Parses a module; {@link Fault} names what is unknown, with its line. */
  public static PtxModule parse(String name, String text) {
    Map<String, Program> programs = new LinkedHashMap<>();
    PtxParser.parse(name, text)
        .forEach((entry, parsed) -> programs.put(entry, EntryDecoder.decode(parsed)));
    return new PtxModule(name, programs);
  }

  /** The names of the module's entries. */
  public Set<String> entries() {
    return programs.keySet();
  }

  /** The types of an entry's parameters, a letter each as in {@code Arguments.types()}. */
  public String parameters(String entry) {
    return program(entry).parameters();
  }

  /**
   * What a block of an entry needs of a multiprocessor.
   *
   * @param maxThreads the most threads of a block that the entry allows
   * @param minBlocks the blocks that a multiprocessor must have room for, at least 1
   * @param maxRegisters the most registers of a thread; 0 if the entry does not say
   * @param staticShared the bytes of the entry's own shared memory
   */
  public record Resources(int maxThreads, int minBlocks, int maxRegisters, int staticShared) {}

  /** What a block of an entry needs of a multiprocessor. */
  public Resources resources(String entry) {
    Program program = program(entry);
    LaunchBounds bounds = program.bounds();
    int[] required = bounds.requiredThreads();
    return new Resources(
        required == null ? bounds.maxThreads() : required[0] * required[1] * required[2],
        bounds.minBlocks(),
        bounds.maxRegisters(),
        program.shared().staticBytes());
  }

  /**
   * Runs an entry to its end.
   *
   * @return the allocations (their first addresses) that were read and written
   */
  public Accesses run(String entry, Shape shape, Arguments arguments, DeviceMemory memory) {
    return run(entry, shape, arguments, memory, BUDGET);
  }

  /**
   * Runs an entry to its end, with another limit to the instructions that all its warps execute.
   */
  public Accesses run(
      String entry, Shape shape, Arguments arguments, DeviceMemory memory, long budget) {
    return new Launch(program(entry), shape, 0, arguments, memory, budget).run();
  }

  /**
   * Runs an entry to its end with all its blocks live at once, as a cooperative launch does.
   *
   * @param sharedBytes the bytes of each block's dynamic shared memory
   * @param seed for the random order in which warps execute
   * @return the allocations (their first addresses) that were read and written
   */
  public Accesses runTogether(
      String entry,
      Shape shape,
      int sharedBytes,
      Arguments arguments,
      DeviceMemory memory,
      long seed) {
    return new Launch(program(entry), shape, sharedBytes, arguments, memory, BUDGET)
        .runTogether(seed);
  }

  private Program program(String entry) {
    Program program = programs.get(entry);
    if (program == null) {
      throw new Fault("module " + name + " has no entry " + entry + ": " + programs.keySet());
    }
    return program;
  }
}
