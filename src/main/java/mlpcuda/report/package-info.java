/**
 * Writes what a training run measured: {@code metrics.json}, {@code metrics.csv}, the page {@code
 * report.html} and TensorBoard's event files.
 *
 * <p>It uses the packages {@code train}, {@code net}, {@code compute}, {@code data}, {@code files}
 * and {@code error}. This package is internal and may change at any time.
 */
package mlpcuda.report;
