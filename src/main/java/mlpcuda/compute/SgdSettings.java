package mlpcuda.compute;

/** stub. */
public record SgdSettings(double momentum, boolean nesterov, double weightDecay)
    implements OptimizerSettings {}
