package mlpcuda.compute.cuda.ptx.races;

/**
 * What a strong access or a fence orders: the .sem and .scope of PTX's memory consistency model. An
 * ordinary (weak) access has none. In an ordinary launch, whose blocks run one after another, all
 * accesses count as ordinary ones.
 *
 * @param acquires whether accesses after it come after what a release that it read comes after
 * @param releases whether accesses before it come before what acquires its value
 * @param beyondBlock whether that holds between blocks too (.gpu and .sys, not .cta)
 */
public record Ordering(boolean acquires, boolean releases, boolean beyondBlock) {}
