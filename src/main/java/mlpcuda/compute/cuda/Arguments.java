package mlpcuda.compute.cuda;

import java.util.Arrays;
import java.util.Optional;
import java.util.StringJoiner;
import mlpcuda.compute.AdamSettings;
import mlpcuda.compute.Buffer;
import mlpcuda.compute.InputScaling;
import mlpcuda.compute.Ops;
import mlpcuda.compute.Precision;
import mlpcuda.compute.SgdSettings;
import mlpcuda.random.Philox;

/**
 * The arguments of a kernel in their order. {@link #types} has a letter for each: p an address or
 * 64-bit integer, i a 32-bit integer, f a float, d a double, s a structure of 32-bit words, which
 * the kernel takes by value.
 */
public final class Arguments {
  private final StringBuilder types = new StringBuilder();
  private String[] names = new String[12]; // null for an argument without a name
  private long[] values = new long[12];
  private int[][] structures = new int[12][]; // null for an argument that is no structure

  private Arguments add(char type, long value) {
    if (types.length() == values.length) {
      values = Arrays.copyOf(values, 2 * values.length);
      names = Arrays.copyOf(names, values.length);
      structures = Arrays.copyOf(structures, values.length);
    }
    values[types.length()] = value;
    types.append(type);
    return this;
  }

  /** Adds an address of the device, or 0, the null pointer. */
  public Arguments address(long address) {
    return add('p', address);
  }

  /** Adds the addresses of buffers. */
  Arguments add(Buffer... buffers) {
    for (Buffer buffer : buffers) {
      address(DeviceBuffer.address(buffer));
    }
    return this;
  }

  /** Adds the address of a buffer, or the null pointer if there is none. */
  Arguments add(Optional<Buffer> buffer) {
    return address(buffer.map(DeviceBuffer::address).orElse(0L));
  }

  /** Adds what maps a feature to an input: two numbers, or the addresses of two for each column. */
  Arguments add(InputScaling scaling) {
    if (scaling instanceof InputScaling.Uniform uniform) {
      return add(uniform.scale()).add(uniform.shift());
    }
    var columns = (InputScaling.PerColumn) scaling;
    return add(columns.centre(), columns.factor());
  }

  /** Adds what dropout needs to scale what it keeps: its rate, then the factor. */
  Arguments dropoutRate(float rate) {
    return add(rate).add(Ops.dropoutScale(rate));
  }

  /** Adds what dropout's random numbers are made of: their use, then the seed. */
  Arguments dropoutMask(long seed) {
    return add("use", Philox.Use.DROPOUT.ordinal()).add(seed);
  }

  /** Adds the number of a precision, to which the copy of an output is rounded. */
  Arguments add(Precision precision) {
    return add("precision", precision.ordinal());
  }

  /** Adds the settings that the entries of cuda/adam.cuh take, in their order. */
  Arguments add(AdamSettings settings) {
    add(settings.beta1()).add(settings.beta2()).add((float) settings.eps());
    return add(settings.weightDecay()).add("decoupled", settings.decoupled() ? 1 : 0);
  }

  /** Adds the settings that the entries of cuda/sgd.cuh take, in their order. */
  Arguments add(SgdSettings settings) {
    add((float) settings.momentum()).add("nesterov", settings.nesterov() ? 1 : 0);
    return add((float) settings.weightDecay());
  }

  /** Adds a 64-bit integer. */
  public Arguments add(long value) {
    return add('p', value);
  }

  /** Adds a 32-bit integer. */
  public Arguments add(int value) {
    return add('i', Integer.toUnsignedLong(value));
  }

  /** Adds a size or a choice: a 32-bit integer with a name, for the message of a failed launch. */
  public Arguments add(String name, int value) {
    add(value);
    names[count() - 1] = name;
    return this;
  }

  /** Adds a double. */
  public Arguments add(double value) {
    return add('d', Double.doubleToRawLongBits(value));
  }

  /** Adds a float. */
  public Arguments add(float value) {
    return add('f', Integer.toUnsignedLong(Float.floatToRawIntBits(value)));
  }

  /** Adds a structure of 32-bit words, which must not change until the launch. */
  public Arguments structure(int... words) {
    add('s', 0);
    structures[count() - 1] = words;
    return this;
  }

  /** The number of arguments. */
  public int count() {
    return types.length();
  }

  /** The types of the arguments, a letter for each: p, i, f, d or s. */
  public String types() {
    return types.toString();
  }

  /** The named arguments, as {@code B=64 I=784}. */
  public String sizes() {
    var sizes = new StringJoiner(" ");
    for (int i = 0; i < count(); i++) {
      if (names[i] != null) {
        sizes.add(names[i] + "=" + (int) values[i]);
      }
    }
    return sizes.toString();
  }

  /**
   * The bits of argument {@code i}, which is no structure; an argument of fewer than 64 bits has
   * them lowest, and zeros above.
   */
  public long bits(int i) {
    return values[i];
  }

  /** The words of argument {@code i} if it is a structure, and null if it is not. */
  public int[] words(int i) {
    return structures[i];
  }
}
