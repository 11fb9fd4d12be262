package mlpcuda.compute;

/** The optimizer that updates the weights from their gradients, with all but its learning rate. */
public sealed interface OptimizerSettings permits AdamSettings, SgdSettings {
  /** The weight decay λ, at least 0; 0 for none. */
  double weightDecay();
}
