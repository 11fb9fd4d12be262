/**
 * The operations on the CPU, twice: a reference of plain loops in double precision, and an
 * implementation for all cores whose large products OpenBLAS computes. No other package may use
 * OpenBLAS's binding.
 *
 * <p>It uses the packages {@code compute}, {@code random}, {@code files} and {@code error}. This
 * package is internal and may change at any time.
 */
package mlpcuda.compute.cpu;
