/**
 * The library: trains multilayer perceptrons on a GPU or a CPU, and asks them.
 *
 * <p>{@link mlpcuda.Training} makes a {@link mlpcuda.Network} from a {@link mlpcuda.Dataset} on a
 * {@link mlpcuda.Device}; a network on a device is a {@link mlpcuda.Model}, which predicts and
 * evaluates. Values are immutable and may be shared by threads; devices and models are closed by
 * whoever made them. Failures are the unchecked exceptions of {@link mlpcuda.error} and {@link
 * java.lang.IllegalArgumentException}. Nothing is printed: the {@link java.lang.System.Logger} of
 * the name {@code mlpcuda} gets warnings, and on the level DEBUG what a run tells.
 *
 * <p>This package and {@link mlpcuda.error} are public. All other packages are internal, and change
 * without notice.
 */
package mlpcuda;
