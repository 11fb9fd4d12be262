/**
 * What instructions compute from the bits of registers: each operation computes all 32 lanes of a
 * warp, and knows neither warps nor memory. {@code Operation.find} looks an opcode up.
 */
package mlpcuda.compute.cuda.ptx.arithmetic;
