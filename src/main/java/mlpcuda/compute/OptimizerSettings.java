package mlpcuda.compute;

/** The optimizer that updates the weights from their gradients, with all but its learning rate. */
public sealed interface OptimizerSettings permits AdamSettings, SgdSettings {}
