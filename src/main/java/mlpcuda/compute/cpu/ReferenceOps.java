package mlpcuda.compute.cpu;

import java.util.Optional;
import mlpcuda.compute.Activation;
import mlpcuda.compute.AdamSettings;
import mlpcuda.compute.Buffer;
import mlpcuda.compute.Buffer.Type;
import mlpcuda.compute.DeviceExamples;
import mlpcuda.compute.Distorting;
import mlpcuda.compute.InputScaling;
import mlpcuda.compute.LayerGradients;
import mlpcuda.compute.LossOutputs;
import mlpcuda.compute.LossScale;
import mlpcuda.compute.Ops;
import mlpcuda.compute.OptimizerState;
import mlpcuda.compute.Order;
import mlpcuda.compute.Originals;
import mlpcuda.compute.Precision;
import mlpcuda.compute.SgdSettings;
import mlpcuda.compute.Targets;
import mlpcuda.files.HeapMemory;
import mlpcuda.random.Philox;

/**
 * The operations as plain loops over doubles: the oracle that every device is compared with. They
 * are never tuned. Floats are exact on their way in and rounded on their way out only.
 */
public class ReferenceOps extends Ops {
  /** Operations in double precision. */
  public ReferenceOps() {}

  /** Operations whose products have operands of that precision. */
  public ReferenceOps(Precision precision) {
    super(precision);
  }

  @Override
  public String description() {
    return "reference (plain loops in double precision)";
  }

  private static double at(Buffer buffer, int i) {
    return ((Doubles) buffer).at(i);
  }

  /** Element {@code i} as an operand of a product, rounded to {@link #precision}. */
  protected double operand(Buffer buffer, int i) {
    double value = at(buffer, i);
    return precision() == Precision.FP32 ? value : precision().round((float) value);
  }

  private static void put(Buffer buffer, int i, double value) {
    ((Doubles) buffer).put(i, value);
  }

  /** Element {@code i} without rounding: finite differences need more than a float's digits. */
  public double value(Buffer buffer, int i) {
    return at(buffer, i);
  }

  /** Sets element {@code i} without rounding. */
  public void set(Buffer buffer, int i, double value) {
    put(buffer, i, value);
  }

  @Override
  public long freeBytes() {
    return HeapMemory.free();
  }

  @Override
  protected Buffer allocateK(String name, Type type, int length) {
    return type == Type.UINT8
        ? new Bytes(this, name, new byte[length])
        : new Doubles(this, name, type, length);
  }

  @Override
  protected Buffer constantK(String name, byte[] values) {
    return new Bytes(this, name, values);
  }

  @Override
  protected void writeK(Buffer to, byte[] values) {
    ((Bytes) to).write(values);
  }

  @Override
  protected void writeK(Buffer to, float[] values) {
    for (int i = 0; i < values.length; i++) {
      put(to, i, values[i]);
    }
  }

  @Override
  protected void writeK(Buffer to, int[] values, int from, int n) {
    for (int i = 0; i < n; i++) {
      put(to, i, values[from + i]);
    }
  }

  @Override
  protected void readK(Buffer from, float[] values) {
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) at(from, i);
    }
  }

  @Override
  protected void readK(Buffer from, int[] values) {
    for (int i = 0; i < values.length; i++) {
      values[i] = (int) at(from, i);
    }
  }

  @Override
  protected void gatherForwardK(
      Buffer x,
      Targets targets,
      DeviceExamples examples,
      Optional<Order> order,
      int B,
      int I,
      InputScaling scaling) {
    for (int b = 0; b < B; b++) {
      int row = row(order, B, b);
      for (int i = 0; i < I; i++) {
        put(x, b * I + i, scaled(feature(examples.features(), row * I + i), i, scaling));
      }
      put(targets.y(), b, ((Bytes) examples.labels()).at(row));
      if (targets.weights().isPresent()) {
        put(targets.weights().get(), b, at(examples.weights().orElseThrow(), row));
      }
    }
  }

  @Override
  protected void distortForwardK(
      Buffer x, Originals originals, int B, Distorting distorting, int epoch) {
    int I = distorting.inputs();
    var images = (Bytes) originals.images();
    for (int b = 0; b < B; b++) {
      int number = (int) at(originals.numbers(), b);
      int row = originals.staged() ? b : number;
      double[] image = new double[I];
      for (int i = 0; i < I; i++) {
        image[i] = images.at(row * I + i);
      }
      double[] distorted = new ReferenceDistortion(distorting, epoch, number).of(image);
      for (int i = 0; i < I; i++) {
        put(x, b * I + i, scaled(distorted[i], i, distorting.scaling()));
      }
    }
  }

  private static double feature(Buffer features, int i) {
    return features instanceof Bytes bytes ? bytes.at(i) : at(features, i);
  }

  private static double scaled(double value, int column, InputScaling scaling) {
    if (scaling instanceof InputScaling.Uniform uniform) {
      return value * uniform.scale() + uniform.shift();
    }
    var columns = (InputScaling.PerColumn) scaling;
    return (value - at(columns.centre(), column)) * at(columns.factor(), column);
  }

  /** The number of the example that is row {@code b} of a batch. */
  private static int row(Optional<Order> order, int B, int b) {
    return order.map(of -> (int) at(of.rows(), (int) at(of.end(), 0) - B + b)).orElse(b);
  }

  @Override
  protected void linearForwardK(
      Buffer y, Buffer x, Buffer w, Buffer b, int B, int I, int O, Activation activation) {
    for (int r = 0; r < B; r++) {
      for (int o = 0; o < O; o++) {
        double z = at(b, o);
        for (int i = 0; i < I; i++) {
          z += operand(x, r * I + i) * operand(w, o * I + i);
        }
        put(y, r * O + o, activated(z, activation));
      }
    }
  }

  private static double activated(double z, Activation activation) {
    return switch (activation) {
      case NONE -> z;
      case RELU -> Math.max(z, 0);
      case SIGMOID -> 1 / (1 + Math.exp(-z));
      case TANH -> Math.tanh(z);
      case LECUN_TANH -> Activation.LECUN_SCALE * Math.tanh(Activation.LECUN_SLOPE * z);
    };
  }

  private static double derivative(double y, Activation activation) {
    return switch (activation) {
      case NONE -> 1;
      case RELU -> y > 0 ? 1 : 0;
      case SIGMOID -> y * (1 - y);
      case TANH -> 1 - y * y;
      case LECUN_TANH ->
          Activation.LECUN_SLOPE * (Activation.LECUN_SCALE - y * y / Activation.LECUN_SCALE);
    };
  }

  @Override
  protected void linearBackwardK(
      LayerGradients gradients,
      Buffer dy,
      Buffer x,
      Buffer w,
      int B,
      int I,
      int O,
      Activation below) {
    for (int o = 0; o < O; o++) {
      double bias = 0;
      for (int r = 0; r < B; r++) {
        bias += at(dy, r * O + o);
      }
      put(gradients.db(), o, bias);
      for (int i = 0; i < I; i++) {
        double weight = 0;
        for (int r = 0; r < B; r++) {
          weight += operand(dy, r * O + o) * operand(x, r * I + i);
        }
        put(gradients.dw(), o * I + i, weight);
      }
    }
    if (gradients.dx().isEmpty()) {
      return;
    }
    Buffer dx = gradients.dx().get();
    for (int r = 0; r < B; r++) {
      for (int i = 0; i < I; i++) {
        double d = 0;
        for (int o = 0; o < O; o++) {
          d += operand(dy, r * O + o) * operand(w, o * I + i);
        }
        put(dx, r * I + i, d * derivative(at(x, r * I + i), below));
      }
    }
  }

  @Override
  protected void activationBackwardK(Buffer dx, Buffer dy, Buffer y, int n, Activation activation) {
    for (int i = 0; i < n; i++) {
      put(dx, i, at(dy, i) * derivative(at(y, i), activation));
    }
  }

  @Override
  protected void dropoutForwardK(
      Buffer y, Buffer x, Buffer step, int n, float rate, int layer, long seed) {
    int[] words = new int[4];
    for (int i = 0; i < n; i++) {
      Philox.block(words, i / 4, layer, (int) at(step, 0), Philox.Use.DROPOUT, seed);
      boolean kept = Philox.uniform(words[i % 4]) >= rate;
      put(y, i, kept ? at(x, i) / (1.0 - rate) : 0);
    }
  }

  @Override
  protected void logSoftmaxForwardK(Buffer y, Buffer x, int B, int C) {
    for (int r = 0; r < B; r++) {
      double logSum = logSumExp(x, r, C);
      for (int c = 0; c < C; c++) {
        put(y, r * C + c, at(x, r * C + c) - logSum);
      }
    }
  }

  private static double logSumExp(Buffer x, int row, int C) {
    double max = at(x, row * C + largest(x, row, C));
    double sum = 0;
    for (int c = 0; c < C; c++) {
      sum += Math.exp(at(x, row * C + c) - max);
    }
    return max + Math.log(sum);
  }

  private static int largest(Buffer x, int row, int C) {
    int largest = 0;
    for (int c = 1; c < C; c++) {
      if (at(x, row * C + c) > at(x, row * C + largest)) {
        largest = c;
      }
    }
    return largest;
  }

  @Override
  protected void crossEntropyForwardK(
      LossOutputs outputs,
      Buffer x,
      Targets targets,
      Buffer step,
      Optional<Buffer> scaling,
      int B,
      int C,
      float smoothing) {
    double scale = scale(scaling);
    Buffer losses = outputs.losses();
    double sum = 0;
    int right = 0;
    for (int r = 0; r < B; r++) {
      int label = (int) at(targets.y(), r);
      double weight = targets.weights().isPresent() ? at(targets.weights().get(), r) : 1;
      double logSum = logSumExp(x, r, C);
      double loss = 0;
      for (int c = 0; c < C; c++) {
        double target = (c == label ? 1.0 - smoothing : 0) + (double) smoothing / C;
        double logSoftmax = at(x, r * C + c) - logSum;
        loss -= target == 0 ? 0 : target * logSoftmax; // the logarithm may be infinite
        if (outputs.dx().isPresent()) {
          double d = (Math.exp(logSoftmax) - target) / B * scale;
          put(outputs.dx().get(), r * C + c, weight * d);
        }
      }
      int isRight = largest(x, r, C) == label ? 1 : 0;
      loss *= weight;
      put(losses, r, loss);
      put(losses, B + r, isRight);
      sum += loss;
      right += isRight;
    }
    Buffer log = outputs.log();
    int row = Math.floorMod((int) at(step, 0) - 1, log.length() / 2);
    put(log, 2 * row, sum);
    put(log, 2 * row + 1, right);
  }

  @Override
  protected void adamStepK(
      OptimizerState state,
      Buffer dw,
      Buffer step,
      Buffer rate,
      Optional<Buffer> scaling,
      int n,
      AdamSettings settings) {
    if (skips(scaling)) {
      return;
    }
    Buffer w = state.w();
    Buffer m = state.m();
    Buffer v = state.v();
    double t = at(step, 0) - scaling.map(of -> at(of, LossScale.SKIPPED)).orElse(0.0);
    double correction1 = 1 - Math.pow(settings.beta1(), t);
    double correction2 = 1 - Math.pow(settings.beta2(), t);
    double lr = at(rate, 0);
    for (int i = 0; i < n; i++) {
      double weight = at(w, i);
      double g = at(dw, i);
      if (settings.decoupled()) {
        weight -= lr * settings.weightDecay() * weight;
      } else {
        g += settings.weightDecay() * weight;
      }
      double mean = settings.beta1() * at(m, i) + (1 - settings.beta1()) * g;
      double square = settings.beta2() * at(v, i) + (1 - settings.beta2()) * g * g;
      put(m, i, mean);
      put(v, i, square);
      double denominator = Math.sqrt(square) / Math.sqrt(correction2) + settings.eps();
      put(w, i, weight - lr / correction1 * mean / denominator);
    }
  }

  private static boolean skips(Optional<Buffer> scaling) {
    return scaling.isPresent() && at(scaling.get(), LossScale.SKIPS) != 0;
  }

  private static double scale(Optional<Buffer> scaling) {
    return scaling.isPresent() ? at(scaling.get(), LossScale.SCALE) : 1;
  }

  @Override
  protected void sgdStepK(
      Buffer w,
      Buffer velocity,
      Buffer dw,
      Buffer rate,
      Optional<Buffer> scaling,
      int n,
      SgdSettings settings) {
    if (skips(scaling)) {
      return;
    }
    for (int i = 0; i < n; i++) {
      double g = at(dw, i) + settings.weightDecay() * at(w, i);
      double v = settings.momentum() * at(velocity, i) + g;
      double down = settings.nesterov() ? g + settings.momentum() * v : v;
      put(velocity, i, v);
      put(w, i, at(w, i) - at(rate, 0) * down);
    }
  }

  @Override
  protected void averageStepK(Buffer average, Buffer w, Buffer step, int n, double decay) {
    double t = at(step, 0);
    double d = Math.min(decay, (1 + t) / (10 + t));
    for (int i = 0; i < n; i++) {
      put(average, i, at(average, i) + (1 - d) * (at(w, i) - at(average, i)));
    }
  }

  @Override
  protected void clipNormK(Buffer dw, Buffer norm, Optional<Buffer> scaling, int n, float limit) {
    double scale = scale(scaling);
    double sum = 0;
    for (int i = 0; i < n; i++) {
      sum += at(dw, i) * at(dw, i);
    }
    put(norm, 0, (float) (Math.sqrt(sum) / scale)); // PyTorch's norm is infinite where a float's is
    scaling.ifPresent(of -> put(of, LossScale.SKIPS, Double.isFinite(at(norm, 0)) ? 0 : 1));
    if (skips(scaling)) {
      return;
    }
    double factor = Math.min(1, limit / (at(norm, 0) + 1e-6)) / scale;
    for (int i = 0; i < n; i++) {
      put(dw, i, at(dw, i) * factor);
    }
  }

  @Override
  protected void advanceK(
      Buffer position, Buffer rate, Buffer rates, Optional<Buffer> scaling, int B) {
    if (scaling.isPresent() && at(position, 0) > 0) {
      float[] state = new float[LossScale.LENGTH];
      readK(scaling.get(), state);
      LossScale.settle(state);
      writeK(scaling.get(), state);
    }
    put(rate, 0, at(rates, (int) at(position, 2)));
    put(position, 0, at(position, 0) + 1);
    put(position, 1, at(position, 1) + B);
    put(position, 2, at(position, 2) + 1);
  }

  @Override
  protected void closeK() {}
}
