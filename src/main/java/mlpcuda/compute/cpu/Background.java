package mlpcuda.compute.cpu;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Optional;

/**
 * The inputs that nearly always come from pixels that are 0, as those around a handwritten digit
 * are: the last ones of each image, from number {@link #core} on. Their contribution to a product
 * is the same for all images, but for the few other pixels, which are listed here, so that only
 * these need be multiplied. The products stay exact: a sample of the images decides which inputs
 * these are, but the list is of all images.
 */
final class Background {
  /**
   * The rarity of a background input: where one in so many of its pixels is not 0, to list those
   * costs about as much as to multiply all.
   */
  private static final int RARE = 64;

  private static final int SAMPLED = 1024; // images

  /** The least share of background inputs, one in so many: fewer are not worth the effort. */
  private static final int WORTH = 8;

  private final int I;
  private final int core;
  // for each pixel: its input's number, less core; below 0: the pixel is no background
  private final int[] place;
  private final int[] start; // (N + 1): where each image's pixels begin in the list
  private int[] columns; // for each listed pixel: its input's number, less core
  private byte[] values;
  private int listed;

  private Background(int[] order, int core, int N) {
    this.I = order.length;
    this.core = core;
    this.place = new int[I];
    for (int i = 0; i < I; i++) {
      place[order[i]] = i - core;
    }
    this.start = new int[N + 1];
    this.columns = new int[N];
    this.values = new byte[N];
  }

  /**
   * The background of images (N, I) in an order of their pixels; empty if they have none.
   *
   * @param images (N, I), in the natural order of pixels
   */
  static Optional<Background> of(byte[] images, InputOrder order) {
    if (order.isNatural()) {
      return Optional.empty();
    }
    int N = images.length / order.inputs();
    return Optional.of(new Background(order.pixels(), order.multiplied(), N))
        .filter(background -> background.list(images));
  }

  /** The best order for images (N, I): the pixels that are most often not 0 come first. */
  static InputOrder order(byte[] images, int I) {
    int N = images.length / I;
    int[] counts = counts(images, I, N);
    long[] often = new long[I]; // the least counts last, and of equal ones the later pixels
    int core = 0;
    for (int i = 0; i < I; i++) {
      core += isRare(counts[i], N) ? 0 : 1;
      often[i] = (long) (SAMPLED - counts[i]) << 32 | i;
    }
    if ((I - core) * WORTH < I) {
      return InputOrder.natural(I);
    }
    Arrays.sort(often);
    int[] order = new int[I];
    for (int i = 0; i < I; i++) {
      order[i] = (int) often[i];
    }
    return InputOrder.of(order, Math.max(1, core));
  }

  private static boolean isRare(int count, int N) {
    return count * RARE <= Math.min(N, SAMPLED);
  }

  /** Counts, for each pixel, the images of a sample, spread over the set, in which it is not 0. */
  private static int[] counts(byte[] images, int I, int N) {
    int[] counts = new int[I];
    int sampled = Math.min(N, SAMPLED);
    for (int k = 0; k < sampled; k++) {
      count(counts, images, (int) ((long) N * k / sampled) * I);
    }
    return counts;
  }

  private static void count(int[] counts, byte[] images, int at) {
    for (int i = 0; i < counts.length; i++) {
      counts[i] += images[at + i] != 0 ? 1 : 0;
    }
  }

  /**
   * Lists the background's pixels that are not 0. Returns false if there are many of them, contrary
   * to what the sample showed.
   */
  private boolean list(byte[] images) {
    int N = start.length - 1;
    long most = 2L * N * (I - core) / RARE + I;
    ByteBuffer bytes = ByteBuffer.wrap(images);
    long[] masks = masks();
    for (int n = 0; n < N && listed <= most; n++) {
      int at = n * I;
      for (int word = 0; word < masks.length; word++) { // most have only zeros in the background
        int i = word * Long.BYTES;
        if ((bytes.getLong(at + i) & masks[word]) != 0) {
          list(images, at, i, i + Long.BYTES);
        }
      }
      list(images, at, masks.length * Long.BYTES, I);
      start[n + 1] = listed;
    }
    return listed <= most;
  }

  /**
   * A mask for each eight pixels, as one long, of those in the background. The last I mod 8 pixels
   * have none.
   */
  private long[] masks() {
    ByteBuffer mask = ByteBuffer.allocate(I);
    for (int i = 0; i < I; i++) {
      mask.put(i, (byte) (place[i] < 0 ? 0 : -1));
    }
    long[] words = new long[I / Long.BYTES];
    mask.asLongBuffer().get(words);
    return words;
  }

  private void list(byte[] images, int at, int from, int to) {
    for (int i = from; i < to; i++) {
      if (place[i] >= 0 && images[at + i] != 0) {
        if (listed == columns.length) {
          columns = Arrays.copyOf(columns, 2 * listed);
          values = Arrays.copyOf(values, 2 * listed);
        }
        columns[listed] = place[i];
        values[listed++] = images[at + i];
      }
    }
  }

  /** The number of the first input of the background. */
  int core() {
    return core;
  }

  /**
   * The index in the list of image {@code n}'s first pixel; the last is before the next one's
   * first.
   */
  int start(int n) {
    return start[n];
  }

  /** The number of the input that pixel {@code k} of the list is, less {@link #core}. */
  int column(int k) {
    return columns[k];
  }

  /** The value of pixel {@code k} of the list. */
  int value(int k) {
    return Byte.toUnsignedInt(values[k]);
  }
}
