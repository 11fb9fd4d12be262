/**
 * Measures how fast a device trains and evaluates a network, and compares the measurements with the
 * limits of the device's arithmetic, memory and launches. Each device is checked against the
 * reference before it is timed.
 *
 * <p>It uses the packages {@code train}, {@code net}, {@code conformance}, {@code compute}, {@code
 * compute.cpu}, {@code data}, {@code files} and {@code error}. This package is internal and may
 * change at any time.
 */
package mlpcuda.benchmark;
