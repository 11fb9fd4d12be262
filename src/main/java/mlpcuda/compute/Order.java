package mlpcuda.compute;

/**
 * An order of examples on a device, of which a batch is a part. The numbers are the caller's
 * promise: no operation checks them.
 *
 * @param rows (N or more) INT32: numbers of examples, each below N
 * @param end (1) INT32, from B to the length of {@code rows}: the batch's examples are the B that
 *     come before this element
 */
public record Order(Buffer rows, Buffer end) {}
