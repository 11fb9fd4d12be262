/**
 * The memory of the emulated device: allocations, which of their bytes were ever written, and the
 * banks of shared memory.
 */
package mlpcuda.compute.cuda.ptx.memory;
