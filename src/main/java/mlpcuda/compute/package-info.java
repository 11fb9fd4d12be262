/**
 * The operations of a multilayer perceptron as an interface that each device implements: buffers,
 * products, activations, losses, optimizers, and how batches come to a device and steps are
 * recorded.
 *
 * <p>It uses the package {@code error} alone, and knows no device. This package is internal and may
 * change at any time.
 */
package mlpcuda.compute;
