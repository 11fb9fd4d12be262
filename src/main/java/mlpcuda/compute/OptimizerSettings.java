package mlpcuda.compute;

/** stub. */
public sealed interface OptimizerSettings permits AdamSettings, SgdSettings {}
