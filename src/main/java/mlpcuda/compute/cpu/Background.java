package mlpcuda.compute.cpu;

import java.nio.ByteBuffer;
import java.util.Arrays;
import mlpcuda.compute.InputOrder;

/**
 * The inputs that nearly always come from pixels that are 0, as those around a handwritten digit
 * are: the last ones of each image, from number {@link #core} on. What they contribute to a product
 * is the same for all images, but for the few pixels that are listed here, so that nothing else of
 * them need be multiplied. Exact: which inputs these are is judged by a sample of the images, and
 * the list is of all.
 */
final class Background {
  /**
   * An input of which one in so many pixels is not 0 costs about as much whether those are listed
   * or all are multiplied.
   */
  private static final int RARE = 64;

  private static final int SAMPLED = 1024; // images

  /** Fewer than one in so many inputs is not worth it. */
  private static final int WORTH = 8;

  private final int I;
  private final int core;
  private final int[] place; // by pixel: its input's number less core; below 0: no background
  private final int[] start; // (N + 1): where each image's pixels begin in the list
  private int[] columns; // of the list: the input's number, less core
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
   * The background of images (N, I) in an order of their pixels, or null if they have none.
   *
   * @param images as they are
   */
  static Background of(byte[] images, InputOrder order) {
    if (order.pixels() == null) {
      return null;
    }
    int N = images.length / order.inputs();
    var background = new Background(order.pixels(), order.multiplied(), N);
    return background.list(images) ? background : null;
  }

  /** The order that makes most of images (N, I): the pixels that are most often not 0 first. */
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

  /** In how many images of a sample, spread over the set, each pixel is not 0. */
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
   * Lists the background's pixels that are not 0; false if they are many, against what was judged.
   */
  private boolean list(byte[] images) {
    int N = start.length - 1;
    long most = 2L * N * (I - core) / RARE + I;
    ByteBuffer bytes = ByteBuffer.wrap(images);
    long[] masks = masks();
    for (int n = 0; n < N && listed <= most; n++) {
      int at = n * I;
      for (int word = 0; word < masks.length; word++) { // most are nothing but background
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

  /** Of each eight pixels, as one long: those of the background. What is left over has none. */
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

  /** The inputs before this one are no background. */
  int core() {
    return core;
  }

  /** Where image {@code n}'s pixels begin in the list; they end where the next one's begin. */
  int start(int n) {
    return start[n];
  }

  /** The input that pixel {@code k} of the list is, less {@link #core}. */
  int column(int k) {
    return columns[k];
  }

  /** What pixel {@code k} of the list is. */
  int value(int k) {
    return Byte.toUnsignedInt(values[k]);
  }
}
