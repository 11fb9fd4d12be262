package mlpcuda.report;

import java.nio.file.Path;
import java.util.Arrays;
import mlpcuda.files.Protobuf;
import mlpcuda.train.Progress;
import mlpcuda.train.Score;
import mlpcuda.train.Trainer;

/**
 * Writes the measurements of a run as TensorBoard's events: scalars, which TensorBoard stores as
 * float32, and the confusion matrix of the test set as an image. The step of a point is the number
 * of steps done until then.
 *
 * <p>Points are written to the disk at the run's checkpoints and at its end, so that a run that is
 * resumed from a checkpoint does not repeat points. Therefore this listener must be called for a
 * checkpoint after the listener that writes the checkpoint.
 */
public final class TensorBoard implements Trainer.Listener, AutoCloseable {
  private static final int SUMMARY = 5; // a field of the message Event
  private static final int VALUE = 1; // a field of Summary (tensorflow/core: summary.proto)

  private static final int TAG = 1; // a field of the message Summary.Value
  private static final int SIMPLE_VALUE = 2;
  private static final int IMAGE = 4;

  private static final int HEIGHT = 1; // a field of the message Summary.Image
  private static final int WIDTH = 2;
  private static final int COLORSPACE = 3;
  private static final int ENCODED = 4;
  private static final int RGB = 3;

  private static final String TEST_LOSS = "loss/test";
  private static final String TEST_ACCURACY = "accuracy/test";

  /** The image's greatest side in pixels, unless there are more classes than pixels. */
  private static final int IMAGE_SIDE = 320;

  private static final int WHITE = 0xFF;

  private final EventFile file;
  private final int logInterval;
  private int steps;

  /**
   * Makes a new file in {@code folder}. Every {@code logInterval}-th step of an epoch is written.
   *
   * @param steps the number of steps that a resumed run had done before; 0 for a new run
   * @throws java.io.UncheckedIOException if the file cannot be written, as all methods do
   */
  public TensorBoard(Path folder, int logInterval, int steps) {
    this.file = new EventFile(folder, steps + 1L);
    this.logInterval = logInterval;
    this.steps = steps;
  }

  @Override
  public void stepDone(Trainer.StepResult result) {
    steps = result.step();
    if (result.batch() % logInterval == 0) {
      add(scalar("loss/train", result.loss()));
    }
  }

  @Override
  public void epochDone(Trainer.EpochResult result) {
    var summary = new Protobuf();
    summary.add(VALUE, value("loss/epoch", result.train().loss()));
    summary.add(VALUE, value("accuracy/train", result.train().accuracy()));
    summary.add(VALUE, value("learning_rate", result.rate()));
    result
        .validation()
        .ifPresent(
            scores -> {
              summary.add(VALUE, value("loss/validation", scores.loss()));
              summary.add(VALUE, value("accuracy/validation", scores.accuracy()));
            });
    result
        .test()
        .ifPresent(
            scores -> {
              summary.add(VALUE, value(TEST_LOSS, scores.loss()));
              summary.add(VALUE, value(TEST_ACCURACY, scores.accuracy()));
            });
    add(summary);
  }

  @Override
  public void checkpoint(Progress progress) {
    file.flush();
  }

  /**
   * Writes the test result of the network that the run ended with.
   *
   * @param scalars whether to write loss and accuracy as well; a run that tests after each epoch
   *     has already written them
   */
  public void tested(Score evaluation, boolean scalars) {
    int[][] pixels = picture(evaluation);
    Protobuf image =
        new Protobuf()
            .add(HEIGHT, pixels.length)
            .add(WIDTH, pixels[0].length)
            .add(COLORSPACE, RGB)
            .add(ENCODED, Png.encode(pixels));
    var summary = new Protobuf();
    if (scalars) {
      summary.add(VALUE, value(TEST_LOSS, evaluation.loss()));
      summary.add(VALUE, value(TEST_ACCURACY, evaluation.accuracy()));
    }
    add(summary.add(VALUE, new Protobuf().add(TAG, "confusion/test").add(IMAGE, image)));
  }

  @Override
  public void close() {
    file.close();
  }

  private void add(Protobuf summary) {
    file.add(steps, SUMMARY, summary);
  }

  private static Protobuf scalar(String tag, double number) {
    return new Protobuf().add(VALUE, value(tag, number));
  }

  private static Protobuf value(String tag, double number) {
    return new Protobuf().add(TAG, tag).add(SIMPLE_VALUE, (float) number);
  }

  /**
   * Draws the confusion matrix, a row for each true class: right answers are blue, wrong ones red,
   * the deeper the larger their share of the class's examples.
   */
  private static int[][] picture(Score evaluation) {
    int classes = evaluation.classes();
    int cell = Math.max(1, IMAGE_SIDE / classes); // a cell's side in pixels
    int[][] rgb = new int[classes * cell][classes * cell];
    for (int truth = 0; truth < classes; truth++) {
      int[] row = rgb[truth * cell];
      for (int answer = 0; answer < classes; answer++) {
        double count = evaluation.confusion()[truth][answer];
        double share = count / Math.max(1, evaluation.support(truth));
        // The shade grows with the square root of the share, so that a few errors of a class can be
        // seen.
        int fade = (int) Math.round(WHITE * (1 - Math.sqrt(share)));
        int color =
            truth == answer ? fade << 16 | fade << 8 | WHITE : WHITE << 16 | fade << 8 | fade;
        Arrays.fill(row, answer * cell, (answer + 1) * cell, color);
      }
      for (int copy = 1; copy < cell; copy++) {
        rgb[truth * cell + copy] = row;
      }
    }
    return rgb;
  }
}
