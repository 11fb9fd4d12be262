package mlpcuda.net;

import java.util.List;

/**
 * The weights of a network in the host's memory.
 *
 * @param shape the network's shape
 * @param tensors the values of all tensors, in the order and with the lengths of {@link
 *     Parameters#tensors(MlpShape)}
 */
public record Weights(MlpShape shape, List<float[]> tensors) {}
