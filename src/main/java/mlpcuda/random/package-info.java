/**
 * Random numbers as a function of seed, use and counter, so that each device and each order of
 * evaluation gets the same numbers.
 *
 * <p>It uses no other package. This package is internal and may change at any time.
 */
package mlpcuda.random;
