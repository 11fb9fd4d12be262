/**
 * JMH's benchmarks of operations, steps, epochs, batches and IDX files.
 *
 * <p>They are compiled with the tests and are no part of the program. This package is internal and
 * may change at any time.
 */
package mlpcuda.benchmarks;
