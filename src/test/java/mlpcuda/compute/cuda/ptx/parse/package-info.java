/**
 * Reads the text of a module of PTX: {@code PtxParser} makes entries with declarations and
 * statements, still as they are written, and refuses directives that it does not know.
 */
package mlpcuda.compute.cuda.ptx.parse;
