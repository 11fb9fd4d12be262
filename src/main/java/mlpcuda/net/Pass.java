package mlpcuda.net;

import mlpcuda.data.View;

/**
 * A network with the way in which it sees examples. The probabilities of several passes are
 * averaged: those of the members of a committee.
 *
 * @param weights the network
 * @param view how it sees examples
 */
public record Pass(Weights weights, View view) {}
