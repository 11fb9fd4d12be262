/** Small kernels written by hand, by which the tests of the interpreter run single instructions. */
package mlpcuda.compute.cuda.ptx.kernels;
