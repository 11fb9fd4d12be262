/**
 * Data sets: IDX files, the embedded MNIST, downloads of published data sets, the scaling of
 * pixels, the order of examples and their split.
 *
 * <p>It uses the packages {@code random}, {@code files} and {@code error}. Jetty's HTTP client is
 * used by one class alone, so that a program that downloads nothing does not load it. This package
 * is internal and may change at any time.
 */
package mlpcuda.data;
