package mlpcuda.compute.cpu;

import java.util.Arrays;
import mlpcuda.compute.Distorting;
import mlpcuda.compute.Distortion;
import mlpcuda.compute.DistortionDraws;
import mlpcuda.compute.DistortionDraws.Affine;
import mlpcuda.compute.DistortionDraws.Erased;

/**
 * The resampling of one image at displaced places. The image lies in a frame of zeros, one pixel to
 * the left and above and two on the other sides, to which places outside of it are clamped: no
 * pixel needs a check then.
 */
record Resampling(Distortion amounts, int rows, int cols, int channels) {
  Resampling(Distorting distorting) {
    this(distorting.amounts(), distorting.rows(), distorting.cols(), distorting.channels());
  }

  /** The floats of a row of the image with its frame. */
  private int stride() {
    return (cols + 3) * channels;
  }

  /** The floats of an image with its frame. */
  int paddedLength() {
    return (rows + 3) * stride();
  }

  /** Sets an image with its frame, whose bytes begin at {@code from}. */
  void pad(float[] padded, byte[] bytes, int from) {
    Arrays.fill(padded, 0, paddedLength(), 0f);
    int width = cols * channels;
    for (int row = 0; row < rows; row++) {
      int to = (row + 1) * stride() + channels;
      for (int i = 0; i < width; i++) {
        padded[to + i] = bytes[from + row * width + i] & 0xFF;
      }
    }
  }

  /**
   * Sets a distorted image.
   *
   * @param image (rows, cols, channels) out
   * @param padded the original with its frame
   * @param displaced (rows, fields, cols): the displacements; read where there are any
   * @param field the number of the field of this image's displacements across; the next is that of
   *     those down
   * @param places (2, cols): a work array
   */
  void run(
      float[] image,
      float[] padded,
      DistortionDraws draws,
      float[] displaced,
      int field,
      int fields,
      float[] places) {
    Affine affine = draws.affine(amounts, rows, cols);
    boolean displaces = amounts.alpha() > 0;
    for (int row = 0; row < rows; row++) {
      float x0 = (float) (affine.xy() * row + affine.x0() + 1);
      float y0 = (float) (affine.yy() * row + affine.y0() + 1);
      for (int col = 0; col < cols; col++) {
        places[col] = x0 + (float) affine.xx() * col;
        places[cols + col] = y0 + (float) affine.yx() * col;
      }
      if (displaces) {
        int at = (row * fields + field) * cols;
        for (int i = 0; i < 2 * cols; i++) {
          places[i] += displaced[at + i];
        }
      }
      clamp(places, 0, cols + 1);
      clamp(places, cols, rows + 1);
      for (int channel = 0; channel < channels; channel++) {
        sample(image, (row * cols) * channels + channel, padded, channel, places);
      }
    }
    Erased erased = draws.erased(amounts, rows, cols);
    for (int row = erased.top(); row < erased.bottom(); row++) {
      int from = (row * cols + erased.left()) * channels;
      int to = (row * cols + erased.right()) * channels;
      Arrays.fill(image, from, to, 0f);
    }
  }

  /** Clamps the places in one direction of a row to those of the frame. */
  private void clamp(float[] places, int from, float most) {
    for (int i = from; i < from + cols; i++) {
      places[i] = Math.min(Math.max(places[i], 0f), most);
    }
  }

  /** Sets a row of one channel. */
  private void sample(float[] image, int to, float[] padded, int channel, float[] places) {
    int stride = stride();
    for (int col = 0; col < cols; col++) {
      float x = places[col];
      float y = places[cols + col];
      int left = (int) x;
      int above = (int) y;
      float right = x - left;
      float below = y - above;
      int at = above * stride + left * channels + channel;
      float upper = padded[at] + right * (padded[at + channels] - padded[at]);
      at += stride;
      float lower = padded[at] + right * (padded[at + channels] - padded[at]);
      image[to + col * channels] = upper + below * (lower - upper);
    }
  }
}
