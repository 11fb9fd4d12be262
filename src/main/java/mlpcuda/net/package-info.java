/**
 * The multilayer perceptron: its shape, its parameters, the forward and the backward pass, the
 * optimizer, and one step of training.
 *
 * <p>It uses the packages {@code compute}, {@code data}, {@code random} and {@code error}, and so
 * runs on every device. This package is internal and may change at any time.
 */
package mlpcuda.net;
