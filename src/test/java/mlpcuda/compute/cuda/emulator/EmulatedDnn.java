package mlpcuda.compute.cuda.emulator;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.function.Function;
import mlpcuda.compute.Activation;
import mlpcuda.compute.cuda.DeviceMatrix;
import mlpcuda.compute.cuda.Dnn;
import mlpcuda.compute.cuda.ptx.Fault;
import mlpcuda.compute.cuda.ptx.memory.DeviceMemory;

/** The operations of cuDNN as NVIDIA documents them, enqueued on one stream. */
final class EmulatedDnn extends EmulatedResource implements Dnn {
  /** A tensor of N · C floats on the device. */
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
  public void addTensor(DeviceMatrix c, long a) {
    calls.run(
        "cudnnAddTensor",
        () -> {
          Tensor rows = tensor(c);
          Tensor row = tensor(new DeviceMatrix(a, 1, c.columns()));
          checkApart(rows, row);
          ask(
              "sum of %d rows and one".formatted(c.rows()),
              rows,
              List.of(rows, row),
              in -> {
                float[] sum = in.get(0);
                for (int i = 0; i < sum.length; i++) {
                  sum[i] += in.get(1)[i % c.columns()];
                }
                return sum;
              });
        });
  }

  @Override
  public void activationForward(DeviceMatrix y, DeviceMatrix x, Activation activation) {
    calls.run(
        "cudnnActivationForward",
        () -> {
          checkAlike(y, x);
          check(activation);
          Tensor out = tensor(y);
          Tensor in = tensor(x);
          checkSameOrApart(out, in);
          ask(
              activation + " of " + out.length,
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
      case NONE, LECUN_TANH -> throw new AssertionError();
    };
  }

  /**
   * The emulated gradient of a ReLU uses x alone, and the other ones use y alone, so that a wrong
   * argument is found.
   */
  @Override
  public void activationBackward(
      DeviceMatrix dx, DeviceMatrix y, DeviceMatrix dy, DeviceMatrix x, Activation activation) {
    calls.run(
        "cudnnActivationBackward",
        () -> {
          checkAlike(dx, y, dy, x);
          check(activation);
          Tensor out = tensor(dx);
          Tensor output = tensor(y);
          Tensor gradient = tensor(dy);
          Tensor input = tensor(x);
          checkSameOrApart(out, gradient);
          checkApart(out, output);
          checkApart(out, input);
          List<Tensor> in = List.of(gradient, output, input);
          ask(
              "gradient of %s of %d".formatted(activation, out.length),
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
      case NONE, LECUN_TANH -> throw new AssertionError();
    };
  }

  @Override
  public void logSoftmaxForward(DeviceMatrix y, DeviceMatrix x) {
    calls.run(
        "cudnnSoftmaxForward",
        () -> {
          checkAlike(y, x);
          Tensor out = tensor(y);
          Tensor in = tensor(x);
          checkApart(out, in);
          ask(
              "log-softmax of %d x %d".formatted(x.rows(), x.columns()),
              out,
              List.of(in),
              values -> {
                float[] result = values.get(0);
                for (int row = 0; row < x.rows(); row++) {
                  logSoftmax(result, row * x.columns(), x.columns());
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

  /** The tensor of a matrix, whose shape is checked as cudnnSetTensor4dDescriptor does. */
  private Tensor tensor(DeviceMatrix matrix) {
    if (!live() || !stream.live()) {
      throw new Fault("%s, after it or its stream was given back".formatted(this));
    }
    if (matrix.rows() < 1 || matrix.columns() < 1) {
      throw calls.failure(EmulatedFailure.CUDNN_BAD_PARAM);
    }
    if ((long) matrix.rows() * matrix.columns() > Integer.MAX_VALUE) {
      throw calls.failure(EmulatedFailure.CUDNN_NOT_SUPPORTED);
    }
    return Tensor.of(memory, matrix.address(), matrix.rows() * matrix.columns());
  }

  /** Checks that all tensors have the shape of the first one. */
  private void checkAlike(DeviceMatrix first, DeviceMatrix... others) {
    for (DeviceMatrix other : others) {
      if (other.rows() != first.rows() || other.columns() != first.columns()) {
        throw calls.failure(EmulatedFailure.CUDNN_BAD_PARAM);
      }
    }
  }

  private void check(Activation activation) {
    if (activation == Activation.NONE || activation == Activation.LECUN_TANH) {
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
