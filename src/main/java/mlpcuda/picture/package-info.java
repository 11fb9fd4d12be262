/**
 * Decodes pictures to grey levels. Each format is checked by code of this package before a decoder
 * of the JDK or of TwelveMonkeys reads the bytes, because a picture may come from a stranger. No
 * other package uses {@code java.awt}.
 *
 * <p>It uses the packages {@code data}, {@code files} and {@code error}. This package is internal
 * and may change at any time.
 */
package mlpcuda.picture;
