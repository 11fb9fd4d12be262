package mlpcuda.compute;

/**
 * The arenas that an optimizer updates, all laid out alike.
 *
 * @param w the weights
 * @param m the first moments of Adam, or the velocities of SGD
 * @param v the second moments of Adam; SGD leaves them alone
 */
public record OptimizerState(Buffer w, Buffer m, Buffer v) {}
