/**
 * Reads and writes files safely: files that appear whole or not at all, standard input and pipes,
 * folders for caches and unpacked native libraries, protobuf, and the wording of messages about
 * files.
 *
 * <p>It uses the package {@code error} alone. This package is internal and may change at any time.
 */
package mlpcuda.files;
