package mlpcuda.compute;

/**
 * Examples that lie on a device.
 *
 * @param features (N, I) UINT8: the pixels of images
 * @param labels (N) UINT8: their classes
 */
public record DeviceExamples(Buffer features, Buffer labels) {}
