/**
 * Turns a picture into an image as a network takes it: unchanged, or as MNIST prepared its digits,
 * which includes the search for a character in a photograph.
 *
 * <p>It uses the packages {@code picture}, {@code data}, {@code files} and {@code error}. This
 * package is internal and may change at any time.
 */
package mlpcuda.preparation;
