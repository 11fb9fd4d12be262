/**
 * The operations on an NVIDIA GPU: kernels in PTX, products by cuBLAS or by PTX, and optionally
 * cuDNN. All native calls go through one interface, which the tests replace by an emulated driver.
 * No other package may use JCuda.
 *
 * <p>It uses the packages {@code compute}, {@code random}, {@code files} and {@code error}. This
 * package is internal and may change at any time.
 */
package mlpcuda.compute.cuda;
