package mlpcuda.compute;

/**
 * The images of a batch before they are distorted.
 *
 * @param images (N, I) UINT8: all images of a set, or, if {@code staged}, the batch's alone
 * @param numbers (B) INT32: the numbers of the batch's examples in the set. They decide the
 *     distortions, and are the caller's promise: no operation checks them
 * @param staged whether image b of the batch is row b of {@code images}, and not row numbers[b]
 */
public record Originals(Buffer images, Buffer numbers, boolean staged) {}
