package mlpcuda.compute;

/** Which optimizer makes weights of gradients, and all of it but its learning rate. */
public sealed interface OptimizerSettings permits AdamSettings, SgdSettings {}
