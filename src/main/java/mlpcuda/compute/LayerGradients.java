package mlpcuda.compute;

import java.util.Optional;

/**
 * The gradients that {@link Ops#linearBackward} computes.
 *
 * @param dx (B, I): the gradient before the activation that made x; empty: it is not wanted
 * @param dw (O, I)
 * @param db (O)
 */
public record LayerGradients(Optional<Buffer> dx, Buffer dw, Buffer db) {}
