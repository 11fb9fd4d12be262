/**
 * Training and inference: the loop over epochs and batches, schedules of the learning rate, early
 * stopping, the evaluation of a data set, and predictions for single images.
 *
 * <p>It uses the packages {@code net}, {@code compute}, {@code data}, {@code files} and {@code
 * error}. This package is internal and may change at any time.
 */
package mlpcuda.train;
