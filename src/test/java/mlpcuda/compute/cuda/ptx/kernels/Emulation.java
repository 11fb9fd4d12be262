package mlpcuda.compute.cuda.ptx.kernels;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.function.IntFunction;
import java.util.function.UnaryOperator;
import mlpcuda.compute.cuda.Arguments;
import mlpcuda.compute.cuda.CudaDriver.Shape;
import mlpcuda.compute.cuda.ptx.Fault;
import mlpcuda.compute.cuda.ptx.machine.Accesses;
import mlpcuda.compute.cuda.ptx.memory.DeviceMemory;
import mlpcuda.compute.cuda.ptx.module.PtxModule;
import org.junit.jupiter.api.function.Executable;

/** A memory with its use in tests: buffers in and out, and small kernels written by hand. */
public final class Emulation {
  public static final String HEADER = ".version 8.0\n.target sm_80\n.address_size 64\n";

  /** The registers that kernels written by hand may use. */
  private static final String REGISTERS =
      ".reg .pred %p<10>;\n.reg .b16 %rs<10>;\n.reg .b32 %r<40>;\n.reg .f32 %f<20>;\n"
          + ".reg .b64 %rd<20>;\n.reg .f64 %fd<10>;\n";

  /**
   * A body that computes %r0 from %r1, the thread's number in the grid, followed by the store of
   * %r0.
   */
  private static final UnaryOperator<String> STORE_AT_THREAD =
      body ->
          """
          mov.u32 %r2, %tid.x; mov.u32 %r3, %ctaid.x; mov.u32 %r4, %ntid.x;
          mad.lo.s32 %r1, %r3, %r4, %r2;
          mul.wide.s32 %rd1, %r1, 4;
          add.s64 %rd0, %rd0, %rd1;
          """
              + body
              + "\nst.global.u32 [%rd0], %r0;\nret;";

  public final DeviceMemory memory = new DeviceMemory();

  /** The shape of {@code grid} blocks of {@code block} threads. */
  public static Shape shape(int grid, int block) {
    return new Shape(grid, 1, 1, block, 1);
  }

  /** A module with an entry k whose parameters are addresses; the body follows the registers. */
  public static PtxModule kernel(int addresses, String body) {
    StringBuilder text = new StringBuilder(HEADER).append(".visible .entry k(");
    for (int i = 0; i < addresses; i++) {
      text.append(i == 0 ? "" : ", ").append(".param .u64 p").append(i);
    }
    text.append(") {\n").append(REGISTERS);
    for (int i = 0; i < addresses; i++) {
      text.append("ld.param.u64 %rd").append(i).append(", [p").append(i).append("];\n");
    }
    return PtxModule.parse("test", text + body + "\n}\n");
  }

  public static ByteBuffer bytes(int count) {
    return ByteBuffer.allocate(count).order(ByteOrder.LITTLE_ENDIAN);
  }

  private long of(ByteBuffer content) {
    long address = memory.allocate(content.capacity());
    memory.write(address, content.flip());
    return address;
  }

  public long of(float... values) {
    ByteBuffer bytes = bytes(4 * values.length);
    for (float value : values) {
      bytes.putFloat(value);
    }
    return of(bytes);
  }

  public long of(int... values) {
    ByteBuffer bytes = bytes(4 * values.length);
    for (int value : values) {
      bytes.putInt(value);
    }
    return of(bytes);
  }

  public long of(long... values) {
    ByteBuffer bytes = bytes(8 * values.length);
    for (long value : values) {
      bytes.putLong(value);
    }
    return of(bytes);
  }

  public long of(byte... values) {
    return of(bytes(values.length).put(values));
  }

  private ByteBuffer read(long address, int count) {
    ByteBuffer bytes = bytes(count);
    memory.read(address, bytes);
    return bytes.flip();
  }

  public float[] floats(long address, int count) {
    float[] values = new float[count];
    read(address, 4 * count).asFloatBuffer().get(values);
    return values;
  }

  public int[] ints(long address, int count) {
    int[] values = new int[count];
    read(address, 4 * count).asIntBuffer().get(values);
    return values;
  }

  public long[] longs(long address, int count) {
    long[] values = new long[count];
    read(address, 8 * count).asLongBuffer().get(values);
    return values;
  }

  public Accesses run(PtxModule module, Shape shape, long... addresses) {
    Arguments arguments = new Arguments();
    for (long address : addresses) {
      arguments.address(address);
    }
    return module.run("k", shape, arguments, memory);
  }

  /** Runs k with that many blocks and threads, and returns the int of each, indexed by %rd0. */
  public static int[] ints(int blocks, int threads, String body) {
    Emulation emulation = new Emulation();
    long out = emulation.memory.allocate(4L * blocks * threads);
    emulation.run(kernel(1, STORE_AT_THREAD.apply(body)), shape(blocks, threads), out);
    return emulation.ints(out, blocks * threads);
  }

  /** Fails unless running k with one buffer is a fault whose message has all these parts. */
  public static void assertFault(Shape shape, int floats, String body, String... parts) {
    Emulation emulation = new Emulation();
    long buffer = emulation.of(new float[floats]);
    PtxModule module = kernel(1, body);
    assertFault(() -> emulation.run(module, shape, buffer), parts);
  }

  public static void assertFault(Executable run, String... parts) {
    String message = assertThrows(Fault.class, run).getMessage();
    for (String part : parts) {
      assertTrue(message.contains(part), () -> "no '" + part + "' in: " + message);
    }
  }

  /** Runs k with one buffer of zeros and returns the buffer. */
  public static int[] buffer(Shape shape, int count, String body) {
    Emulation emulation = new Emulation();
    long buffer = emulation.of(new int[count]);
    emulation.run(kernel(1, body), shape, buffer);
    return emulation.ints(buffer, count);
  }

  /**
   * Computes one instruction, {@code %d} of {@code %a}, {@code %b} and {@code %c}.
   *
   * @param types the types of d, a, b and c: of their registers and of their loads
   * @param inputs the bits of a, b and c for each case
   * @return the bits of d for each case
   */
  public static long[] compute(
      String instruction, String[] types, int cases, IntFunction<long[]> inputs) {
    StringBuilder body = new StringBuilder();
    StringBuilder loads = new StringBuilder();
    String names = "dabc";
    for (int i = 0; i < types.length; i++) {
      String register = types[i].endsWith("8") ? "b16" : types[i];
      body.append(".reg .%s %%%c;\n".formatted(register, names.charAt(i)));
      if (i > 0) {
        loads.append(
            "ld.global.%s %%%c, [%%rd5+%d];\n".formatted(types[i], names.charAt(i), 8 * (i - 1)));
      }
    }
    body.append(
        """
        mov.u32 %r1, %ctaid.x; mov.u32 %r2, %tid.x; mad.lo.s32 %r3, %r1, 96, %r2;
        setp.ge.s32 %p1, %r3, CASES;
        @%p1 ret;
        mad.wide.s32 %rd5, %r3, 24, %rd1;
        mad.wide.s32 %rd6, %r3, 8, %rd0;
        """
            .replace("CASES", String.valueOf(cases)));
    body.append(loads).append("\n").append(instruction);
    body.append("\nst.global.%s [%%rd6], %%d;\nret;".formatted(types[0]));
    long[] all = new long[3 * cases];
    for (int i = 0; i < cases; i++) {
      System.arraycopy(inputs.apply(i), 0, all, 3 * i, types.length - 1);
    }
    Emulation emulation = new Emulation();
    long out = emulation.of(new long[cases]);
    emulation.run(kernel(2, body.toString()), shape((cases + 95) / 96, 96), out, emulation.of(all));
    return emulation.longs(out, cases);
  }
}
