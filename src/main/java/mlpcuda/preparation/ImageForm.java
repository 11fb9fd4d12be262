package mlpcuda.preparation;

import java.util.List;
import java.util.Optional;
import mlpcuda.data.Layout;
import mlpcuda.data.PixelScaling;
import mlpcuda.data.View;
import mlpcuda.error.BadFileException;
import mlpcuda.picture.Picture;

/**
 * The images that a network takes, and how pictures and data sets are turned into them.
 *
 * @param layout the size of an image
 * @param scaling how pixels become inputs
 * @param preparation how pictures become images
 * @param transposed whether rows and columns of the training images were exchanged, as EMNIST's
 *     files need it; images in IDX files must then be exchanged too, other pictures must not
 * @param labels the names of the classes; empty where they have none but their numbers
 * @param inkWidth the width to which the network has the ink of every image brought
 */
public record ImageForm(
    Layout.Images layout,
    PixelScaling scaling,
    Preparation preparation,
    boolean transposed,
    List<String> labels,
    InkWidth inkWidth)
    implements ExampleForm {
  /** Copies the names. */
  public ImageForm {
    labels = List.copyOf(labels);
  }

  /** The form of images that the network sees as they are. */
  public ImageForm(
      Layout.Images layout,
      PixelScaling scaling,
      Preparation preparation,
      boolean transposed,
      List<String> labels) {
    this(layout, scaling, preparation, transposed, labels, InkWidth.AS_IS);
  }

  /** The form of grey images whose classes have no names but their numbers. */
  public static ImageForm grey(
      int rows, int cols, PixelScaling scaling, Preparation preparation, boolean transposed) {
    Layout.Images layout = Layout.Images.grey(rows, cols);
    return new ImageForm(layout, scaling, preparation, transposed, List.of());
  }

  /** The height of an image in pixels. */
  public int rows() {
    return layout.rows();
  }

  /** The width of an image in pixels. */
  public int cols() {
    return layout.cols();
  }

  /** A copy with another preparation of pictures. */
  public ImageForm with(Preparation other) {
    return new ImageForm(layout, scaling, other, transposed, labels, inkWidth);
  }

  /** A copy with another width of the ink. */
  public ImageForm with(InkWidth other) {
    return new ImageForm(layout, scaling, preparation, transposed, labels, other);
  }

  @Override
  public View view() {
    return inkWidth.view(rows(), cols());
  }

  /**
   * Prepares a picture for the network.
   *
   * @throws BadFileException if the picture cannot be prepared, for example a blank one
   */
  public Prepared prepare(Picture picture) {
    return preparation.of(picture, rows(), cols());
  }

  /**
   * Takes a picture's pixels exactly as they are.
   *
   * @param option the name of what asks for it, for the message
   * @throws BadFileException if the picture has another size than the network's images
   */
  public Prepared exactly(Picture picture, String option) {
    if (picture.rows() != rows() || picture.cols() != cols()) {
      throw new BadFileException(
          "%s: with %s a picture must be %dx%d as the network's inputs, and this one is %dx%d"
              .formatted(picture.name(), option, rows(), cols(), picture.rows(), picture.cols()));
    }
    return new Prepared(picture.pixels(), Optional.empty());
  }
}
