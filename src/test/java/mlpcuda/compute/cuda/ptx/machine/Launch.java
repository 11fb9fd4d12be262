package mlpcuda.compute.cuda.ptx.machine;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import mlpcuda.compute.cuda.Arguments;
import mlpcuda.compute.cuda.CudaDriver.Shape;
import mlpcuda.compute.cuda.ptx.Fault;
import mlpcuda.compute.cuda.ptx.Lanes;
import mlpcuda.compute.cuda.ptx.memory.Allocation;
import mlpcuda.compute.cuda.ptx.memory.BankConflicts;
import mlpcuda.compute.cuda.ptx.memory.DeviceMemory;
import mlpcuda.compute.cuda.ptx.races.Shadow;

/**
 * One launch of an entry. The blocks of an ordinary launch run one after another, in an order that
 * looks random, so that kernels that rely on an order fail. Those of a cooperative launch run
 * together, see {@link Grid}.
 */
public final class Launch {
  public final Program program;
  public final DeviceMemory memory;

  /** The counter of conflicts of banks; null if they are not counted. */
  public final BankConflicts conflicts = BankConflicts.current();

  /** The bytes of a block's shared memory that the launch tells. */
  final int dynamicShared;

  private final Shape shape;
  private final Arguments arguments;
  private final Map<Integer, byte[]> structures = new HashMap<>(); // by parameter
  private final Map<Long, long[]> constants = new TreeMap<>();
  private final Set<Allocation> touched = new LinkedHashSet<>();
  private final TreeMap<Integer, String> blocks = new TreeMap<>();
  private int epoch;
  private int random;
  private long budget;

  /**
   * A launch that has not begun; {@code Fault} if the shape or the arguments do not fit the
   * program.
   *
   * @param dynamicShared the bytes of each block for .extern .shared variables
   * @param budget the most instructions that its warps may execute in all
   */
  public Launch(
      Program program,
      Shape shape,
      int dynamicShared,
      Arguments arguments,
      DeviceMemory memory,
      long budget) {
    this.program = program;
    this.shape = shape;
    this.dynamicShared = dynamicShared;
    this.arguments = arguments;
    this.memory = memory;
    this.budget = budget;
    this.random = program.name().hashCode() | 1;
    check();
  }

  private void check() {
    String kernel = "kernel " + program.name();
    int threads = shape.blockX() * shape.blockY();
    int[] sizes = {shape.gridX(), shape.gridY(), shape.gridZ(), shape.blockX(), shape.blockY()};
    if (Arrays.stream(sizes).anyMatch(size -> size <= 0)
        || shape.gridY() > 65535
        || shape.gridZ() > 65535) {
      throw new Fault(kernel + ": launched with " + shape);
    }
    if (threads > program.bounds().maxThreads()) {
      throw new Fault(
          kernel + ": " + threads + " threads a block, at most " + program.bounds().maxThreads());
    }
    int[] required = program.bounds().requiredThreads();
    if (required != null
        && !(required[0] == shape.blockX() && required[1] == shape.blockY() && required[2] == 1)) {
      throw new Fault(kernel + ": " + shape + ", a block must have " + Arrays.toString(required));
    }
    if (!arguments.types().equals(program.parameters())) {
      throw new Fault(
          kernel
              + ": arguments "
              + arguments.types()
              + ", its parameters are "
              + program.parameters());
    }
    program.structures().forEach(this::fill);
  }

  private void fill(int parameter, int bytes) {
    int[] words = arguments.words(parameter);
    if (words.length * Integer.BYTES != bytes) {
      throw new Fault(
          "kernel %s: argument %d has %d bytes, its parameter has %d"
              .formatted(program.name(), parameter, words.length * Integer.BYTES, bytes));
    }
    ByteBuffer structure = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    structure.asIntBuffer().put(words);
    structures.put(parameter, structure.array());
  }

  /** The bytes of an argument; null if it is no structure. */
  public byte[] structure(int parameter) {
    return structures.get(parameter);
  }

  /** Runs all blocks together, as a cooperative launch; their order repeats for a seed. */
  public Accesses runTogether(long seed) {
    try {
      new Grid(this, shape, seed).run(shape);
      return accesses();
    } finally {
      touched.forEach(Allocation::forgetLaunch);
    }
  }

  /** Runs all blocks one after another. */
  public Accesses run() {
    try {
      Block block = new Block(this, shape, null, 0);
      long count = (long) shape.gridX() * shape.gridY() * shape.gridZ();
      // A step whose length has no common divisor with the count comes by every block once.
      long step = 1 + Integer.toUnsignedLong(nextRandom()) % count;
      while (greatestCommonDivisor(step, count) != 1) {
        step++;
      }
      long at = Integer.toUnsignedLong(nextRandom()) % count;
      for (long i = 0; i < count; i++) {
        int z = (int) (at / ((long) shape.gridX() * shape.gridY()));
        int y = (int) (at / shape.gridX() % shape.gridY());
        block.run((int) (at % shape.gridX()), y, z);
        at = (at + step) % count;
      }
      return accesses();
    } finally {
      touched.forEach(Allocation::forgetLaunch);
    }
  }

  private static long greatestCommonDivisor(long a, long b) {
    return b == 0 ? a : greatestCommonDivisor(b, a % b);
  }

  private Accesses accesses() {
    Set<Long> read = new LinkedHashSet<>();
    Set<Long> written = new LinkedHashSet<>();
    for (Allocation allocation : touched) {
      if (allocation.isRead) {
        read.add(allocation.start);
      }
      if (allocation.isWritten) {
        written.add(allocation.start);
      }
    }
    return new Accesses(read, written);
  }

  /** Notes that an instruction accesses an allocation. */
  public void touch(Allocation allocation) {
    touched.add(allocation);
  }

  // ---- time ----

  /** The current epoch, as a stamp. */
  int now() {
    return epoch << Shadow.CODE_BITS;
  }

  /** Begins an epoch. */
  int tick() {
    if (++epoch == Shadow.EPOCHS) {
      throw new Fault(
          "kernel " + program.name() + ": more than " + epoch + " barriers and blocks in a launch");
    }
    return now();
  }

  /** Notes the stamp at which a block starts. */
  void blockStarts(int stamp, Block block) {
    blocks.put(stamp, block.name());
  }

  /** The name of the block that ran at a stamp. */
  String blockOf(int stamp) {
    return blocks.floorEntry(stamp).getValue();
  }

  /** Counts instructions that a warp executes. */
  void count(int instructions, Warp warp, int pc) {
    budget -= instructions;
    if (budget < 0) {
      int lane = Integer.numberOfTrailingZeros(warp.alive());
      throw warp.fault(pc, lane, "the launch has executed too many instructions: an endless loop?");
    }
  }

  private int nextRandom() {
    random ^= random << 13;
    random ^= random >>> 17;
    random ^= random << 5;
    return random;
  }

  /** Puts warps into another order. */
  void shuffle(Warp[] order) {
    for (int i = order.length - 1; i > 0; i--) {
      int j = Integer.remainderUnsigned(nextRandom(), i + 1);
      Warp other = order[j];
      order[j] = order[i];
      order[i] = other;
    }
  }

  // ---- registers that are known before ----

  private long[] constant(long value) {
    return constants.computeIfAbsent(
        value,
        v -> {
          long[] lanes = new long[Lanes.COUNT];
          Arrays.fill(lanes, v);
          return lanes;
        });
  }

  /** Fills a warp's registers that do not differ from block to block. */
  void fill(Warp warp) {
    Registers layout = program.registers();
    layout.constants().forEach((value, slot) -> warp.registers[slot] = constant(value));
    layout
        .parameters()
        .forEach((index, slot) -> warp.registers[slot] = constant(arguments.bits(index)));
    for (Map.Entry<String, Integer> special : layout.specials()) {
      long[] lanes = new long[Lanes.COUNT];
      for (int lane = 0; lane < Lanes.COUNT; lane++) {
        lanes[lane] = special(special.getKey(), warp.index, lane);
      }
      warp.registers[special.getValue()] = lanes;
    }
    for (int i = 0; i < warp.registers.length; i++) {
      if (warp.registers[i] == null) {
        warp.registers[i] = new long[Lanes.COUNT];
      }
    }
  }

  private long special(String name, int warp, int lane) {
    int thread = warp * Lanes.COUNT + lane;
    return switch (name) {
      case "%tid.x" -> thread % shape.blockX();
      case "%tid.y" -> thread / shape.blockX();
      case "%ntid.x" -> shape.blockX();
      case "%ntid.y" -> shape.blockY();
      case "%ntid.z" -> 1;
      case "%nctaid.x" -> shape.gridX();
      case "%nctaid.y" -> shape.gridY();
      case "%nctaid.z" -> shape.gridZ();
      case "%laneid" -> lane;
      case "%warpid" -> warp;
      default -> 0;
    };
  }

  /** Sets a warp's registers that tell its block. */
  void place(Warp warp, int x, int y, int z) {
    for (Map.Entry<String, Integer> special : program.registers().specials()) {
      switch (special.getKey()) {
        case "%ctaid.x" -> Arrays.fill(warp.registers[special.getValue()], x);
        case "%ctaid.y" -> Arrays.fill(warp.registers[special.getValue()], y);
        case "%ctaid.z" -> Arrays.fill(warp.registers[special.getValue()], z);
        default -> {}
      }
    }
  }
}
