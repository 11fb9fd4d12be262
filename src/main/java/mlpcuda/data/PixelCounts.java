package mlpcuda.data;

import java.io.Serializable;
import java.nio.ByteBuffer;
import java.nio.LongBuffer;
import mlpcuda.features.Features;

/** The number of times that each value of a pixel occurs in a set of images. */
final class PixelCounts implements Serializable {
  private static final long serialVersionUID = 1;

  /** The number of values that a pixel may have. */
  static final int LEVELS = 256;

  private final long[] counts = new long[LEVELS];

  private PixelCounts() {}

  /** Counts the pixels of images whose pixels are bytes. */
  static PixelCounts of(Features images) {
    var counted = new PixelCounts();
    if (images.isArray()) {
      counted.count(images.array());
    } else {
      byte[] row = new byte[images.width()];
      for (int i = 0; i < images.size(); i++) {
        images.read(i, row, 0);
        counted.count(row);
      }
    }
    return counted;
  }

  /** The number of pixels of that value. */
  long of(int value) {
    return counts[value];
  }

  /** The counts of these images and of other ones together. */
  PixelCounts plus(PixelCounts other) {
    var sum = new PixelCounts();
    for (int value = 0; value < LEVELS; value++) {
      sum.counts[value] = counts[value] + other.counts[value];
    }
    return sum;
  }

  private void count(byte[] pixels) {
    LongBuffer words = ByteBuffer.wrap(pixels).asLongBuffer(); // a long holds eight pixels
    int zeros = 0; // eight pixels of value 0 at once: half of MNIST's pixels are in such words
    for (int i = 0; i < words.limit(); i++) {
      long word = words.get(i);
      if (word == 0) {
        zeros++;
        continue;
      }
      for (int k = 0; k < Long.SIZE; k += Byte.SIZE) {
        counts[(int) (word >>> k) & 0xff]++;
      }
    }
    counts[0] += (long) Long.BYTES * zeros;
    for (int i = Long.BYTES * words.limit(); i < pixels.length; i++) {
      counts[pixels[i] & 0xff]++;
    }
  }
}
