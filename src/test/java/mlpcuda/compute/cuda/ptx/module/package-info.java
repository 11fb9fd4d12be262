/** The front of the interpreter: {@code PtxModule} parses a text and runs its entries. */
package mlpcuda.compute.cuda.ptx.module;
