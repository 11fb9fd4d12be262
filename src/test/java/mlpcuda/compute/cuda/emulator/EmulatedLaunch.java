package mlpcuda.compute.cuda.emulator;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiConsumer;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import mlpcuda.compute.cuda.Arguments;
import mlpcuda.compute.cuda.CudaDriver.Shape;
import mlpcuda.compute.cuda.ptx.Fault;
import mlpcuda.compute.cuda.ptx.machine.Accesses;
import mlpcuda.compute.cuda.ptx.module.PtxModule;

/** A launch of a kernel, with its arguments as they were when it was enqueued. */
final class EmulatedLaunch extends EmulatedOperation {
  /** A loaded module. */
  static final class Module extends EmulatedResource {
    private final String name;
    private final PtxModule ptx;

    Module(String name, PtxModule ptx) {
      super("module " + name);
      this.name = name;
      this.ptx = ptx;
    }

    PtxModule ptx() {
      return ptx;
    }
  }

  /** An entry of a module. */
  static final class Function extends EmulatedResource {
    private final Module module;
    private final String entry;

    Function(Module module, String entry) {
      super("function %s of %s".formatted(entry, module));
      this.module = module;
      this.entry = entry;
    }

    Module module() {
      return module;
    }

    PtxModule.Resources resources() {
      return module.ptx.resources(entry);
    }
  }

  /**
   * The properties of a cooperative launch.
   *
   * @param sharedBytes the bytes of a block's dynamic shared memory
   * @param seeds a seed for each time that it runs
   */
  record Together(int sharedBytes, LongSupplier seeds) {}

  /**
   * The number of times that each entry ran, as {@code gemm/add_parts}, in all emulated drivers
   * ever.
   */
  static final Map<String, Integer> COUNTS = new ConcurrentHashMap<>();

  private static final int THREADS = 1024;
  private static final int GRID_YZ = 65535;

  private final EmulatedMemory memory;
  private final Function function;
  private final Shape shape;
  private final Arguments arguments;
  private final Together together;
  private Runnable instead;

  private EmulatedLaunch(
      EmulatedMemory memory,
      Function function,
      Shape shape,
      Arguments arguments,
      Together together,
      List<EmulatedResource> allocations) {
    super("launch of " + function.entry, function.module);
    this.memory = memory;
    this.function = function;
    this.shape = shape;
    this.arguments = arguments;
    this.together = together;
    needs().addAll(allocations);
  }

  /**
   * A supplier of such launches, a new one each time; {@link Fault} if a device cannot run it.
   *
   * @param arguments the arguments, which are copied and may change afterwards
   * @param together null for an ordinary launch
   */
  static Supplier<EmulatedOperation> of(
      EmulatedMemory memory,
      Function function,
      Shape shape,
      Arguments arguments,
      Together together) {
    check(function, shape, arguments);
    Arguments then = copy(arguments);
    // Any 64-bit integer that lies in an allocation is taken for an address. It is looked up now:
    // later, another allocation may have the same address.
    List<EmulatedResource> allocations = new ArrayList<>();
    for (int i = 0; i < then.count(); i++) {
      if (then.types().charAt(i) == 'p' && memory.holding(then.bits(i)) != null) {
        allocations.add(memory.holding(then.bits(i)));
      }
    }
    return () -> new EmulatedLaunch(memory, function, shape, then, together, allocations);
  }

  private static void check(Function function, Shape shape, Arguments arguments) {
    long threads = (long) shape.blockX() * shape.blockY();
    if (Math.min(shape.blockX(), shape.blockY()) < 1 || threads > THREADS) {
      throw new Fault("%s with blocks of 1 to 1024 threads only: %s".formatted(function, shape));
    }
    if (Math.min(shape.gridX(), Math.min(shape.gridY(), shape.gridZ())) < 1
        || Math.max(shape.gridY(), shape.gridZ()) > GRID_YZ) {
      throw new Fault(
          "%s with a grid of at least 1, y and z at most 65535 only: %s"
              .formatted(function, shape));
    }
    String wanted = function.module.ptx.parameters(function.entry);
    if (!wanted.equals(arguments.types())) {
      throw new Fault(
          "%s has parameters %s, but was given %s".formatted(function, wanted, arguments.types()));
    }
  }

  private static Arguments copy(Arguments arguments) {
    Arguments copy = new Arguments();
    for (int i = 0; i < arguments.count(); i++) {
      switch (arguments.types().charAt(i)) {
        case 'p' -> copy.add(arguments.bits(i));
        case 'i' -> copy.add((int) arguments.bits(i));
        case 's' -> copy.structure(arguments.words(i).clone());
        case 'd' -> copy.add(Double.longBitsToDouble(arguments.bits(i)));
        default -> copy.add(Float.intBitsToFloat((int) arguments.bits(i)));
      }
    }
    return copy;
  }

  /** Makes the launch run {@code instead} in place of the kernel. */
  void replace(Runnable instead) {
    this.instead = instead;
  }

  @Override
  void run() {
    if (instead != null) {
      instead.run();
      return;
    }
    PtxModule ptx = function.module.ptx;
    Accesses accesses =
        together == null
            ? ptx.run(function.entry, shape, arguments, memory.bytes())
            : ptx.runTogether(
                function.entry,
                shape,
                together.sharedBytes,
                arguments,
                memory.bytes(),
                together.seeds.getAsLong());
    COUNTS.merge(function.module.name + "/" + function.entry, 1, Integer::sum);
    use(accesses.read(), EmulatedResource::readBy);
    use(accesses.written(), EmulatedResource::writtenBy);
  }

  private void use(Set<Long> addresses, BiConsumer<EmulatedResource, EmulatedOperation> used) {
    for (long address : addresses) {
      EmulatedResource allocation = memory.startingAt(address);
      needs().add(allocation);
      used.accept(allocation, this);
    }
  }
}
