/**
 * The examples' features in the host's memory, as bytes or as floats, on the heap or in a mapped
 * file. This package is internal and may change at any time. All packages that read, hold or copy
 * features use it, and it uses none of them.
 */
package mlpcuda.features;
