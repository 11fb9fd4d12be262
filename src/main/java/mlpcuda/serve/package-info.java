/**
 * An HTTP server with a page to draw digits on and an interface for programs, which answers with a
 * network's predictions. Its limits protect it from slow, large and malformed requests and from web
 * pages of other origins.
 *
 * <p>It uses the packages {@code train}, {@code net}, {@code compute}, {@code data}, {@code
 * picture}, {@code preparation}, {@code files} and {@code error}, and Jetty. This package is
 * internal and may change at any time.
 */
package mlpcuda.serve;
