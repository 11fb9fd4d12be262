/**
 * The emulated device at work: a launch runs blocks, a block runs warps, and a warp runs the
 * instructions of a program for groups of its lanes. What each instruction does is its own matter.
 */
package mlpcuda.compute.cuda.ptx.machine;
