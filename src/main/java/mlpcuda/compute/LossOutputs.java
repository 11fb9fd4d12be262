package mlpcuda.compute;

import java.util.Optional;

/**
 * The buffers that {@link Ops#crossEntropyForward} fills.
 *
 * @param dx (B, C): the gradient of the batch's mean loss; empty: it is not wanted
 * @param log (S, 2): one row of it becomes the sum of the batch's losses and the number of its
 *     right answers
 * @param losses (2, B): each row's loss, then 1 for each right answer and 0 for the others
 */
public record LossOutputs(Optional<Buffer> dx, Buffer log, Buffer losses) {}
