package mlpcuda;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import mlpcuda.data.ExampleSet;
import mlpcuda.data.Layout;
import mlpcuda.data.PixelScaling;
import mlpcuda.error.BadFileException;
import mlpcuda.model.Committee;
import mlpcuda.picture.PictureFile;
import mlpcuda.preparation.ImageForm;
import mlpcuda.train.AveragedPredictor;
import mlpcuda.train.NetworkEvaluator;
import mlpcuda.train.Predictor;

/**
 * A trained network on a device, with all memory that it needs there. Any thread may ask it; the
 * device answers one call after another.
 */
public final class Model implements AutoCloseable {
  private static final int TEST_BATCH = 1000;

  private final Network network;
  private final Device device;
  private final AveragedPredictor predictor;
  private final int most; // images of a call of the predictor
  private boolean closed;

  Model(Network network, Device device) {
    this.network = network;
    this.device = device;
    Committee file = network.trained();
    this.most = Predictor.batch(file.shape());
    this.predictor =
        device.call(
            () ->
                new AveragedPredictor(
                    device.ops(), file.passes(), file.form().scaling(), most, file.description()));
  }

  /** The network. */
  public Network network() {
    return network;
  }

  /**
   * Predicts the class of an image as the training images were.
   *
   * @param pixels (rows, cols) of the network's images, one unsigned byte a pixel, 0 black
   * @throws IllegalArgumentException if there are not as many pixels as the network has inputs
   */
  public Prediction predict(byte[] pixels) {
    checkLength(pixels.length);
    return prediction(device.call(() -> open().logProbabilities(pixels))[0]);
  }

  /**
   * Predicts the class of an example as the training examples were.
   *
   * @param values (I): the numbers of a row as the training set has them, or (rows, cols) of an
   *     image, from 0, black, to 1, white, which need not be those of bytes
   * @throws IllegalArgumentException if there are not as many values as the network has inputs
   */
  public Prediction predict(float[] values) {
    checkLength(values.length);
    float[] inputs = values.clone();
    if (network.form().scaling() instanceof PixelScaling) {
      for (int i = 0; i < inputs.length; i++) {
        inputs[i] *= 255;
      }
    }
    return prediction(device.call(() -> open().logProbabilities(inputs))[0]);
  }

  /**
   * Predicts the class of a picture, which is prepared as the network's training images were.
   *
   * @param picture a PNG, JPEG, GIF, BMP, TIFF, WebP or PGM file, or an IDX file with one image
   * @throws BadFileException if the file cannot be read, or shows nothing
   */
  public Prediction predict(Path picture) {
    PictureFile file = PictureFile.read(picture);
    if (file.count() != 1) {
      throw new BadFileException(
          "%s: a file of one picture must be given here, found one of %d"
              .formatted(picture, file.count()));
    }
    ImageForm form = network.form().images("the network");
    var upright = file.isIdx() && form.transposed() ? file.get(0).transposed() : file.get(0);
    return predict(form.prepare(upright).pixels());
  }

  /**
   * Predicts the classes of images, whose labels are not looked at.
   *
   * @throws IllegalArgumentException if the images have not the size of the network's
   */
  public List<Prediction> predictAll(Examples examples) {
    ExampleSet set = fitting(examples);
    var predictions = new ArrayList<Prediction>(set.size());
    for (int from = 0; from < set.size(); from += most) {
      int first = from;
      int n = Math.min(most, set.size() - from);
      for (float[] logs : device.call(() -> open().logProbabilities(set.features(), first, n))) {
        predictions.add(prediction(logs));
      }
    }
    return predictions;
  }

  /**
   * Compares the network's answers with the labels of examples.
   *
   * @throws IllegalArgumentException if the images have not the size of the network's, or a label
   *     is not among its classes
   * @throws BadFileException if the device lacks memory
   */
  public Evaluation evaluate(Examples examples) {
    ExampleSet set = fitting(examples);
    int largest = set.largestLabel();
    if (largest >= network.classes()) {
      throw new IllegalArgumentException(
          "labels must be below the network's %d classes, found %d"
              .formatted(network.classes(), largest));
    }
    return device.call(
        () -> {
          open();
          Committee file = network.trained();
          try (var evaluator =
              new NetworkEvaluator(
                  device.ops(),
                  file.passes(),
                  file.form().scaling(),
                  Optional.empty(),
                  set.size(),
                  TEST_BATCH,
                  "the evaluation of " + file.description(),
                  "")) {
            return new Evaluation(evaluator.run(set));
          }
        });
  }

  private ExampleSet fitting(Examples examples) {
    Layout expected = network.form().layout();
    ExampleSet set = examples.set();
    if (!expected.fits(set.layout())) {
      throw new IllegalArgumentException(
          "examples must be of %s as the network's, found %s".formatted(expected, set.layout()));
    }
    return set;
  }

  private void checkLength(int found) {
    if (found != network.inputs()) {
      throw new IllegalArgumentException(
          "an image must have as many pixels as the network has inputs, %d, found %d"
              .formatted(network.inputs(), found));
    }
  }

  private Prediction prediction(float[] logs) {
    return new Prediction(network.labels(), logs);
  }

  /** The predictor, unless the model is closed; for the device's thread. */
  private AveragedPredictor open() {
    if (closed) {
      throw new IllegalStateException("the model is closed");
    }
    return predictor;
  }

  /** Frees the memory on the device; closing the model again does nothing. */
  @Override
  public void close() {
    device.call(
        () -> {
          if (!closed) {
            closed = true;
            predictor.close();
          }
          return null;
        });
  }
}
