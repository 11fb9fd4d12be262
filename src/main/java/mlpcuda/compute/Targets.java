package mlpcuda.compute;

import java.util.Optional;

/**
 * The targets of a batch.
 *
 * @param y (B) INT32: the classes
 * @param weights (B): the factors of the examples' losses; empty: all count the same
 */
public record Targets(Buffer y, Optional<Buffer> weights) {}
