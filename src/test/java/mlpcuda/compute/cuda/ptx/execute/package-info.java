/**
 * The instructions that a warp runs: branches, barriers, loads and stores with their checks, atomic
 * operations, and those that compute registers by an operation of the package arithmetic.
 */
package mlpcuda.compute.cuda.ptx.execute;
