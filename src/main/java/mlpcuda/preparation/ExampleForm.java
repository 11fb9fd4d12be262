package mlpcuda.preparation;

import java.util.List;
import mlpcuda.data.LabelledData;
import mlpcuda.data.Layout;
import mlpcuda.data.Scaling;
import mlpcuda.data.View;
import mlpcuda.error.BadFileException;

/**
 * The examples that a network knows: what their features are, how these become inputs, and what the
 * classes are called.
 */
public sealed interface ExampleForm permits ImageForm, NumberForm {
  /** What the features of an example are. */
  Layout layout();

  /** The map from features to the network's inputs. */
  Scaling scaling();

  /** The names of the classes; empty where they have none but their numbers. */
  List<String> labels();

  /** How the network sees examples of the layout. */
  default View view() {
    return View.AS_IS;
  }

  /** The name of a class. */
  default String label(int c) {
    return labels().isEmpty() ? Integer.toString(c) : labels().get(c);
  }

  /**
   * The names of all classes, in the order of the outputs.
   *
   * @param classes the number of classes
   */
  default List<String> names(int classes) {
    return labels().isEmpty() ? LabelledData.numbers(classes) : labels();
  }

  /**
   * The form of a network that can be asked about pictures.
   *
   * @param what the network and its file, for the message
   * @throws BadFileException if the network takes rows of numbers, or images in colour: a picture
   *     is prepared in grey
   */
  default ImageForm images(Object what) {
    if (this instanceof ImageForm images) {
      if (images.layout().channels() == 1) {
        return images;
      }
      throw new BadFileException(
          "%s: this network takes images in colour, and single pictures are read in grey; ask it with"
                  .formatted(what)
              + " a folder of examples");
    }
    throw new BadFileException(
        "%s: this network takes rows of %d numbers and no pictures"
            .formatted(what, layout().inputs()));
  }
}
