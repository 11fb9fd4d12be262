package mlpcuda.compute.cuda;

import java.util.Arrays;
import java.util.StringJoiner;
import mlpcuda.compute.AdamSettings;
import mlpcuda.compute.Buffer;
import mlpcuda.compute.SgdSettings;

/**
 * The arguments of a kernel in their order, each in 8 bytes of its own: a driver takes the address
 * of each. {@link #types} has a letter for each: p an address or 64-bit integer, i a 32-bit
 * integer, f a float, d a double.
 */
public final class Arguments {
  private final StringBuilder types = new StringBuilder();
  private String[] names = new String[12]; // of those that have one
  private long[] values = new long[12];

  private Arguments add(char type, long value) {
    if (types.length() == values.length) {
      values = Arrays.copyOf(values, 2 * values.length);
      names = Arrays.copyOf(names, values.length);
    }
    values[types.length()] = value;
    types.append(type);
    return this;
  }

  /** An address of the device, or 0, the null pointer. */
  public Arguments address(long address) {
    return add('p', address);
  }

  /** Where buffers begin on the device; the null pointer for null. */
  Arguments add(Buffer... buffers) {
    for (Buffer buffer : buffers) {
      address(DeviceBuffer.address(buffer));
    }
    return this;
  }

  /** What the entries of cuda/adam.cuh take of these settings, in their order. */
  Arguments add(AdamSettings settings) {
    add(settings.beta1()).add(settings.beta2()).add((float) settings.eps());
    return add(settings.weightDecay()).add("decoupled", settings.decoupled() ? 1 : 0);
  }

  /** What the entries of cuda/sgd.cuh take of these settings, in their order. */
  Arguments add(SgdSettings settings) {
    add((float) settings.momentum()).add("nesterov", settings.nesterov() ? 1 : 0);
    return add((float) settings.weightDecay());
  }

  /** A 64-bit integer. */
  public Arguments add(long value) {
    return add('p', value);
  }

  /** A 32-bit integer. */
  public Arguments add(int value) {
    return add('i', Integer.toUnsignedLong(value));
  }

  /** A size or a choice: a 32-bit integer with a name, for the message of a launch that failed. */
  public Arguments add(String name, int value) {
    add(value);
    names[count() - 1] = name;
    return this;
  }

  /** A double. */
  public Arguments add(double value) {
    return add('d', Double.doubleToRawLongBits(value));
  }

  /** A float. */
  public Arguments add(float value) {
    return add('f', Integer.toUnsignedLong(Float.floatToRawIntBits(value)));
  }

  /** How many there are. */
  public int count() {
    return types.length();
  }

  /** A letter for each: p, i, f or d. */
  public String types() {
    return types.toString();
  }

  /** The named ones, as {@code B=64 I=784}. */
  public String sizes() {
    var sizes = new StringJoiner(" ");
    for (int i = 0; i < count(); i++) {
      if (names[i] != null) {
        sizes.add(names[i] + "=" + (int) values[i]);
      }
    }
    return sizes.toString();
  }

  /** The bits of argument {@code i}, the upper ones 0 where it is shorter. */
  public long bits(int i) {
    return values[i];
  }
}
