package mlpcuda.net;

import mlpcuda.compute.AdamSettings;
import mlpcuda.compute.Buffer;
import mlpcuda.compute.Buffer.Type;
import mlpcuda.compute.Ops;

/**
 * The optimizer: {@link Ops#adamStep} over all parameters, its step count and rate on the device.
 */
public final class Adam implements AutoCloseable {
  private final Ops ops;
  private final Parameters parameters;
  private final AdamSettings settings;
  private final Buffer step; // (1) INT32: steps begun
  private final Buffer rate; // (1)
  private int steps; // what the device has in step, once it has caught up

  /** {@code rate}: the learning rate. The caller closes it. */
  public Adam(Ops ops, Parameters parameters, AdamSettings settings, double rate) {
    this.ops = ops;
    this.parameters = parameters;
    this.settings = settings;
    this.step = ops.allocate("step", Type.INT32, 1);
    this.rate = ops.allocate("rate", Type.FLOAT32, 1);
    ops.write(this.rate, new float[] {(float) rate});
  }

  /** (1) INT32: the number of the step that has begun, from 1. */
  Buffer step() {
    return step;
  }

  /** Steps begun. */
  int steps() {
    return steps;
  }

  /** Begins the next step. */
  void begin() {
    ops.increment(step);
    steps++;
  }

  /** Moves the parameters against their gradients. */
  void update() {
    ops.adamStep(
        parameters.w(),
        parameters.m(),
        parameters.v(),
        parameters.dw(),
        step,
        rate,
        parameters.length(),
        settings);
  }

  @Override
  public void close() {
    step.close();
    rate.close();
  }
}
