package mlpcuda.train;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import mlpcuda.compute.Ops;
import mlpcuda.compute.Resources;
import mlpcuda.data.ColumnScaling;
import mlpcuda.data.PixelScaling;
import mlpcuda.data.Scaling;
import mlpcuda.data.View;
import mlpcuda.features.Features;
import mlpcuda.net.MlpShape;
import mlpcuda.net.Pass;

/**
 * Predicts the classes of examples with one or more passes, whose probabilities it averages. One
 * thread makes and uses it: the one that opened the device.
 */
public final class AveragedPredictor implements AutoCloseable {
  /** A pass on the device. */
  private record Opened(Predictor predictor, View view) {}

  private final Resources resources = new Resources();
  private final List<Opened> passes = new ArrayList<>();
  private final Scaling scaling;
  private final int I;
  private final int C;

  /**
   * Passes on the device, of networks of one shape; the caller closes them.
   *
   * @param N the number of examples of the largest call
   * @param what the networks and their file, for the message
   * @throws mlpcuda.error.BadFileException if these calls need more memory than is free
   */
  public AveragedPredictor(Ops ops, List<Pass> passes, Scaling scaling, int N, String what) {
    MlpShape shape = passes.get(0).weights().shape();
    this.scaling = scaling;
    this.I = shape.inputs();
    this.C = shape.classes();
    for (Pass pass : passes) {
      var predictor = resources.open(() -> new Predictor(ops, pass.weights(), scaling, N, what));
      this.passes.add(new Opened(predictor, pass.view()));
    }
  }

  /**
   * The logarithms of the mean probabilities of each class.
   *
   * @param pixels (n, I), one unsigned byte a pixel; n from 1 to N
   * @return (n, C)
   */
  public float[][] logProbabilities(byte[] pixels) {
    return mean(pixels.length / I, pass -> pass.predictor.logProbabilities(pass.view.of(pixels)));
  }

  /**
   * The logarithms of the mean probabilities of each class.
   *
   * @param values (n, I): the numbers of rows as the networks learnt from, or pixels from 0 to 255;
   *     n from 1 to the largest batch
   * @return (n, C)
   */
  public float[][] logProbabilities(float[] values) {
    return mean(
        values.length / I, pass -> pass.predictor.logProbabilities(scaled(pass.view.of(values))));
  }

  /**
   * The logarithms of the mean probabilities of each class.
   *
   * @param features rows as those that the networks learnt from
   * @param from the first row that is asked for
   * @param n the number of rows, from 1 to N
   * @return (n, C)
   */
  public float[][] logProbabilities(Features features, int from, int n) {
    if (scaling instanceof PixelScaling) {
      byte[] pixels = new byte[Math.multiplyExact(n, I)];
      for (int i = 0; i < n; i++) {
        features.read(from + i, pixels, i * I);
      }
      return logProbabilities(pixels);
    }
    float[] values = new float[Math.multiplyExact(n, I)];
    for (int i = 0; i < n; i++) {
      features.read(from + i, values, i * I);
    }
    return logProbabilities(values);
  }

  private float[] scaled(float[] values) {
    float[] inputs = values.clone();
    if (scaling instanceof PixelScaling pixels) {
      for (int i = 0; i < inputs.length; i++) {
        inputs[i] = inputs[i] * pixels.scale() + pixels.shift();
      }
    } else {
      ((ColumnScaling) scaling).apply(inputs);
    }
    return inputs;
  }

  private float[][] mean(int n, Function<Opened, float[][]> answers) {
    if (passes.size() == 1) {
      return answers.apply(passes.get(0));
    }
    var mean = new MeanProbabilities(n, C);
    passes.forEach(pass -> mean.add(answers.apply(pass)));
    return mean.logs();
  }

  @Override
  public void close() {
    resources.close();
  }
}
