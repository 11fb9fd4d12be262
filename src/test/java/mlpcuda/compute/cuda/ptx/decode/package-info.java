/**
 * Makes programs of parsed entries: {@code EntryDecoder} lays out parameters and shared memory and
 * gives each statement to the decoder of its kind, which refuses any modifier, type or operand that
 * it does not know.
 */
package mlpcuda.compute.cuda.ptx.decode;
