/**
 * The table of cases that every device must pass: each operation at the sizes at which kernels tend
 * to go wrong, compared with the reference.
 *
 * <p>It uses the packages {@code compute}, {@code compute.cpu}, {@code random} and {@code error}.
 * This package is internal and may change at any time.
 */
package mlpcuda.conformance;
