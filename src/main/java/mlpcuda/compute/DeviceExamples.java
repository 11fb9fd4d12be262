package mlpcuda.compute;

import java.util.Optional;

/**
 * Examples that lie on a device.
 *
 * @param features (N, I) UINT8 or FLOAT32
 * @param labels (N) UINT8: their classes
 * @param weights (N): their weights; empty: all count the same
 */
public record DeviceExamples(Buffer features, Buffer labels, Optional<Buffer> weights) {}
