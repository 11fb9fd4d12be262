package mlpcuda.compute.cuda.emulator;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.function.Function;
import mlpcuda.compute.Activation;
import mlpcuda.compute.cuda.Dnn;
import mlpcuda.compute.cuda.ptx.Fault;
import mlpcuda.compute.cuda.ptx.memory.DeviceMemory;

/** The operations of cuDNN as NVIDIA documents them, enqueued on one stream. */
final class EmulatedDnn extends EmulatedResource implements Dnn {
  /** The place of N · C floats. */
  private record Tensor(EmulatedResource in, long address, int length) {
    /** A tensor in one allocation; {@link Fault} unless all of it is in there. */
    static Tensor of(EmulatedMemory memory, long address, int length) {
      if (address % Float.BYTES != 0) {
        throw new Fault("floats at 0x%x, which 4 does not divide".formatted(address));
      }
      return new Tensor(memory.holding(address, (long) Float.BYTES * length), address, length);
    }

    boolean meets(Tensor other) {
      return address < other.address + (long) Float.BYTES * other.length
          && other.address < address + (long) Float.BYTES * length;
    }

    float[] read(DeviceMemory memory) {
      ByteBuffer bytes = buffer(length);
      memory.read(address, bytes);
      float[] values = new float[length];
      bytes.clear().asFloatBuffer().get(values);
      return values;
    }

    void write(DeviceMemory memory, float[] values) {
      ByteBuffer bytes = buffer(length);
      bytes.asFloatBuffer().put(values);
      memory.write(address, bytes);
    }

    private static ByteBuffer buffer(int floats) {
      return ByteBuffer.allocate(floats * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    }
  }

  /** Computes out = function(in). */
  private static final class Computation extends EmulatedOperation {
    private final DeviceMemory memory;
    private final Tensor out;
    private final List<Tensor> in;
    private final Function<List<float[]>, float[]> function;

    Computation(
        String what,
        EmulatedDnn dnn,
        Tensor out,
        List<Tensor> in,
        Function<List<float[]>, float[]> function) {
      super(what, dnn, out.in);
      in.forEach(tensor -> needs().add(tensor.in));
      this.memory = dnn.memory.bytes();
      this.out = out;
      this.in = in;
      this.function = function;
    }

    @Override
    void run() {
      in.forEach(tensor -> tensor.in.readBy(this));
      out.in.writtenBy(this);
      out.write(memory, function.apply(in.stream().map(tensor -> tensor.read(memory)).toList()));
    }
  }

  private final EmulatedStream stream;
  private final EmulatedCalls calls;
  private final EmulatedMemory memory;
  private final EmulatedQueue queue;
  private final EmulatedHandles handles;

  EmulatedDnn(
      EmulatedStream stream,
      EmulatedCalls calls,
      EmulatedMemory memory,
      EmulatedQueue queue,
      EmulatedHandles handles) {
    super("cuDNN of " + stream);
    this.stream = stream;
    this.calls = calls;
    this.memory = memory;
    this.queue = queue;
    this.handles = handles;
  }

  @Override
  public void addTensor(long c, long a, int N, int C) {
    calls.run(
        "cudnnAddTensor",
        () -> {
          check(N, C);
          Tensor rows = Tensor.of(memory, c, N * C);
          Tensor row = Tensor.of(memory, a, C);
          checkApart(rows, row);
          ask(
              "sum of %d rows and one".formatted(N),
              rows,
              List.of(rows, row),
              in -> {
                float[] sum = in.get(0);
                for (int i = 0; i < sum.length; i++) {
                  sum[i] += in.get(1)[i % C];
                }
                return sum;
              });
        });
  }

  @Override
  public void activationForward(long y, long x, int N, int C, Activation activation) {
    calls.run(
        "cudnnActivationForward",
        () -> {
          check(N, C);
          check(activation);
          Tensor out = Tensor.of(memory, y, N * C);
          Tensor in = Tensor.of(memory, x, N * C);
          checkSameOrApart(out, in);
          ask(
              activation + " of " + N * C,
              out,
              List.of(in),
              values -> {
                float[] result = values.get(0);
                for (int i = 0; i < result.length; i++) {
                  result[i] = forward(activation, result[i]);
                }
                return result;
              });
        });
  }

  private static float forward(Activation activation, float x) {
    return switch (activation) {
      case RELU -> Float.isNaN(x) ? x : Math.max(x, 0);
      case SIGMOID -> (float) (1 / (1 + Math.exp(-x)));
      case TANH -> (float) Math.tanh(x);
      case NONE -> throw new AssertionError();
    };
  }

  /**
   * The gradient of a ReLU is taken by x, of the others by y, so that a wrong argument is found.
   */
  @Override
  public void activationBackward(
      long dx, long y, long dy, long x, int N, int C, Activation activation) {
    calls.run(
        "cudnnActivationBackward",
        () -> {
          check(N, C);
          check(activation);
          Tensor out = Tensor.of(memory, dx, N * C);
          Tensor output = Tensor.of(memory, y, N * C);
          Tensor gradient = Tensor.of(memory, dy, N * C);
          Tensor input = Tensor.of(memory, x, N * C);
          checkSameOrApart(out, gradient);
          checkApart(out, output);
          checkApart(out, input);
          List<Tensor> in = List.of(gradient, output, input);
          ask(
              "gradient of %s of %d".formatted(activation, N * C),
              out,
              in,
              values -> {
                float[] result = values.get(0);
                for (int i = 0; i < result.length; i++) {
                  result[i] = backward(activation, result[i], values.get(1)[i], values.get(2)[i]);
                }
                return result;
              });
        });
  }

  private static float backward(Activation activation, float dy, float y, float x) {
    return switch (activation) {
      case RELU -> x > 0 ? dy : 0;
      case SIGMOID -> dy * y * (1 - y);
      case TANH -> dy * (1 - y * y);
      case NONE -> throw new AssertionError();
    };
  }

  @Override
  public void logSoftmaxForward(long y, long x, int N, int C) {
    calls.run(
        "cudnnSoftmaxForward",
        () -> {
          check(N, C);
          Tensor out = Tensor.of(memory, y, N * C);
          Tensor in = Tensor.of(memory, x, N * C);
          checkApart(out, in);
          ask(
              "log-softmax of %d x %d".formatted(N, C),
              out,
              List.of(in),
              values -> {
                float[] result = values.get(0);
                for (int row = 0; row < N; row++) {
                  logSoftmax(result, row * C, C);
                }
                return result;
              });
        });
  }

  private static void logSoftmax(float[] x, int from, int C) {
    float largest = Float.NEGATIVE_INFINITY;
    for (int i = from; i < from + C; i++) {
      largest = Math.max(largest, x[i]);
    }
    double sum = 0;
    for (int i = from; i < from + C; i++) {
      sum += Math.exp(x[i] - largest);
    }
    for (int i = from; i < from + C; i++) {
      x[i] = (float) (x[i] - largest - Math.log(sum));
    }
  }

  /** Checks a shape as cudnnSetTensor4dDescriptor does. */
  private void check(int N, int C) {
    if (!live() || !stream.live()) {
      throw new Fault("%s, after it or its stream was given back".formatted(this));
    }
    if (N < 1 || C < 1) {
      throw calls.failure(EmulatedFailure.CUDNN_BAD_PARAM);
    }
    if ((long) N * C > Integer.MAX_VALUE) {
      throw calls.failure(EmulatedFailure.CUDNN_NOT_SUPPORTED);
    }
  }

  private void check(Activation activation) {
    if (activation == Activation.NONE) {
      throw calls.failure(EmulatedFailure.CUDNN_BAD_PARAM);
    }
  }

  private static void checkApart(Tensor out, Tensor in) {
    if (out.meets(in)) {
      throw new Fault("a result is written over an input");
    }
  }

  private static void checkSameOrApart(Tensor out, Tensor in) {
    if (!out.equals(in)) {
      checkApart(out, in);
    }
  }

  private void ask(
      String what, Tensor out, List<Tensor> in, Function<List<float[]>, float[]> function) {
    queue.ask(stream, () -> new Computation(what, this, out, in, function));
  }

  @Override
  public String description() {
    return "cuDNN, emulated";
  }

  @Override
  public void close() {
    calls.run("cudnnDestroy", () -> handles.release(this));
  }
}
