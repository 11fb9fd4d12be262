package mlpcuda.preparation;

import java.util.Optional;
import mlpcuda.data.Scaling;
import mlpcuda.error.BadFileException;
import mlpcuda.picture.Picture;

/**
 * The images that a network takes, and how pictures and data sets are turned into them.
 *
 * @param rows height of an image in pixels
 * @param cols width of an image in pixels
 * @param scaling how pixels become inputs
 * @param preparation how pictures become images
 * @param transposed whether rows and columns of the training images were exchanged, as EMNIST's
 *     files need it; images in IDX files must then be exchanged too, other pictures must not
 */
public record ImageForm(
    int rows, int cols, Scaling scaling, Preparation preparation, boolean transposed) {

  /** A copy with another preparation of pictures. */
  public ImageForm with(Preparation other) {
    return new ImageForm(rows, cols, scaling, other, transposed);
  }

  /**
   * Prepares a picture for the network.
   *
   * @throws BadFileException if the picture cannot be prepared, for example a blank one
   */
  public Prepared prepare(Picture picture) {
    return preparation.of(picture, rows, cols);
  }

  /**
   * Takes a picture's pixels exactly as they are.
   *
   * @param option the name of what asks for it, for the message
   * @throws BadFileException if the picture has another size than the network's images
   */
  public Prepared exactly(Picture picture, String option) {
    if (picture.rows() != rows || picture.cols() != cols) {
      throw new BadFileException(
          "%s: with %s a picture must be %dx%d as the network's inputs, and this one is %dx%d"
              .formatted(picture.name(), option, rows, cols, picture.rows(), picture.cols()));
    }
    return new Prepared(picture.pixels(), Optional.empty());
  }
}
