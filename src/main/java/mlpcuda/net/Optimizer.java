package mlpcuda.net;

import mlpcuda.compute.AdamSettings;
import mlpcuda.compute.Buffer;
import mlpcuda.compute.Buffer.Type;
import mlpcuda.compute.Ops;
import mlpcuda.compute.OptimizerSettings;

/** The optimizer: {@link Ops#adamStep} over all parameters, its rate on the device. */
public final class Optimizer implements AutoCloseable {
  private final Ops ops;
  private final Parameters parameters;
  private final AdamSettings settings;
  private final Buffer rate; // (1)

  /** An optimizer of those parameters. The caller closes it, and {@code parameters} after it. */
  public Optimizer(Ops ops, Parameters parameters, OptimizerSettings settings, double clip) {
    this.ops = ops;
    this.parameters = parameters;
    this.settings = (AdamSettings) settings;
    this.rate = ops.allocate("rate", Type.FLOAT32, 1);
  }

  /** (1): the learning rate, which is to be set before {@link #update}. */
  Buffer rate() {
    return rate;
  }

  /** Moves the parameters against their gradients; {@code step}: (1) INT32, its number from 1. */
  void update(Buffer step) {
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
    rate.close();
  }
}
