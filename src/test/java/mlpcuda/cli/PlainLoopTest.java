package mlpcuda.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import mlpcuda.data.ExampleSet;
import mlpcuda.data.IdxFolder;
import mlpcuda.data.LabelledData;
import mlpcuda.model.ModelFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Compares options of learning, from the command line to the last weight, with softmax regression
 * written out over doubles: no line of that is the program's.
 */
class PlainLoopTest {
  private static final int N = 50;
  private static final int B = 16; // the last batch has 2
  private static final int PIXELS = 35;
  private static final int C = 3;

  @TempDir private Path tmp;

  /** Softmax regression. It has the weights (C, PIXELS), then the biases. */
  private static final class Plain {
    final double[] w = new double[C * PIXELS + C];
    final double[] g = new double[w.length];
    final double[] m = new double[w.length];
    final double[] v = new double[w.length];
    String optimizer = "sgd";
    double momentum;
    boolean nesterov;
    double decay;
    double smoothing;
    double clip = Double.POSITIVE_INFINITY;

    Plain(List<float[]> initial) {
      for (int i = 0; i < w.length; i++) {
        int b = i - C * PIXELS;
        w[i] = b < 0 ? initial.get(0)[i] : initial.get(1)[b];
      }
    }

    /** Computes the examples' mean loss, and its gradient in g. */
    double loss(ExampleSet set, int from, int to, double smoothing) {
      Arrays.fill(g, 0);
      double sum = 0;
      for (int n = from; n < to; n++) {
        double[] p = new double[C];
        double total = 0;
        for (int c = 0; c < C; c++) {
          p[c] = w[C * PIXELS + c];
          for (int i = 0; i < PIXELS; i++) {
            p[c] += w[c * PIXELS + i] * (set.features().array()[n * PIXELS + i] & 0xff) / 255;
          }
          p[c] = Math.exp(p[c]);
          total += p[c];
        }
        for (int c = 0; c < C; c++) {
          p[c] /= total;
          double target = smoothing / C + (set.labels()[n] == c ? 1 - smoothing : 0);
          sum -= target * Math.log(p[c]);
          double slope = (p[c] - target) / (to - from);
          g[C * PIXELS + c] += slope;
          for (int i = 0; i < PIXELS; i++) {
            g[c * PIXELS + i] += slope * (set.features().array()[n * PIXELS + i] & 0xff) / 255;
          }
        }
      }
      return sum / (to - from);
    }

    /** Takes step {@code t}, from 1, against g. */
    void update(int t, double rate) {
      double norm = 0;
      for (double each : g) {
        norm += each * each;
      }
      double shrink = Math.min(1, clip / (Math.sqrt(norm) + 1e-6));
      for (int i = 0; i < w.length; i++) {
        double d = g[i] * shrink;
        if (optimizer.equals("adamw")) {
          w[i] -= rate * decay * w[i];
        } else {
          d += decay * w[i];
        }
        if (optimizer.equals("sgd")) {
          m[i] = momentum * m[i] + d;
          w[i] -= rate * (nesterov ? d + momentum * m[i] : m[i]);
        } else {
          m[i] = 0.9 * m[i] + 0.1 * d;
          v[i] = 0.999 * v[i] + 0.001 * d * d;
          double mean = m[i] / (1 - Math.pow(0.9, t));
          double square = v[i] / (1 - Math.pow(0.999, t));
          w[i] -= rate * mean / (Math.sqrt(square) + 1e-8);
        }
      }
    }
  }

  private Map<String, Object> train(Path data, String name, String line) throws IOException {
    String always =
        "--cpu --threads 1 --hidden none --scaling unit --no-shuffle --log-interval 1"
            + " --batch-size %d --data %s --out %s %s";
    Program.succeed(Program.words(always.formatted(B, data, tmp.resolve(name), line)));
    return Program.json(Files.readString(tmp.resolve(name).resolve("metrics.json")));
  }

  private List<float[]> weights(String name) {
    return ModelFile.read(tmp.resolve(name).resolve("model.safetensors")).weights();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        // optimizer, momentum, Nesterov, decay, smoothing, limit of the norm
        "--optimizer adam                                        |adam |0  |false|0   |0  |0",
        "--optimizer adam --weight-decay 0.1                     |adam |0  |false|0.1 |0  |0",
        "--optimizer adamw --weight-decay 0.1                    |adamw|0  |false|0.1 |0  |0",
        "--optimizer sgd                                         |sgd  |0  |false|0   |0  |0",
        "--optimizer sgd --momentum 0.8                          |sgd  |0.8|false|0   |0  |0",
        "--optimizer sgd --momentum 0.8 --nesterov               |sgd  |0.8|true |0   |0  |0",
        "--optimizer sgd --weight-decay 0.3                      |sgd  |0  |false|0.3 |0  |0",
        "--optimizer sgd --momentum 0.8 --nesterov --weight-decay 0.3|sgd|0.8|true|0.3|0  |0",
        "--label-smoothing 0.2                                   |adam |0  |false|0   |0.2|0",
        "--optimizer sgd --label-smoothing 0.2                   |sgd  |0  |false|0   |0.2|0",
        "--optimizer sgd --clip-grad-norm 0.3                    |sgd  |0  |false|0   |0  |0.3",
        "--optimizer sgd --clip-grad-norm 1e9                    |sgd  |0  |false|0   |0  |0",
        "--optimizer adamw --weight-decay 0.1 --label-smoothing 0.2 --clip-grad-norm 0.3"
            + "                                                  |adamw|0  |false|0.1 |0.2|0.3",
      })
  void everyOptionIsInItsPlace(
      String line,
      String optimizer,
      double momentum,
      boolean nesterov,
      double decay,
      double smoothing,
      double clip)
      throws IOException {
    Path data = Program.writeData(tmp.resolve("data"), 5, 7, C, N, 20);
    LabelledData dataset = IdxFolder.read(data, OptionalInt.empty());
    train(data, "initial", "--epochs 0");
    Map<String, Object> metrics = train(data, "run", "--epochs 5 --lr 0.05 " + line);
    var plain = new Plain(weights("initial"));
    plain.optimizer = optimizer;
    plain.momentum = momentum;
    plain.nesterov = nesterov;
    plain.decay = decay;
    plain.smoothing = smoothing;
    plain.clip = clip == 0 ? Double.POSITIVE_INFINITY : clip;
    List<?> steps = (List<?>) metrics.get("steps");
    assertEquals(20, steps.size());
    for (int t = 1; t <= 20; t++) {
      int from = (t - 1) % 4 * B;
      double loss = plain.loss(dataset.train(), from, Math.min(N, from + B), smoothing);
      plain.update(t, 0.05);
      double found = (double) ((Map<?, ?>) steps.get(t - 1)).get("loss");
      assertEquals(loss, found, 1e-5, "loss of step " + t);
    }
    List<float[]> found = weights("run");
    for (int i = 0; i < plain.w.length; i++) {
      int b = i - C * PIXELS;
      assertEquals(plain.w[i], b < 0 ? found.get(0)[i] : found.get(1)[b], 2e-5, "weight " + i);
    }
    // The evaluation has no label smoothing.
    Map<?, ?> test = (Map<?, ?>) metrics.get("test");
    assertEquals(plain.loss(dataset.test(), 0, 20, 0), (double) test.get("loss"), 1e-5);
  }

  /** Every option must have an effect, and no two the same one. */
  @Test
  void everyOptionChangesTheRun() throws IOException {
    Path data = Program.writeData(tmp.resolve("data"), 5, 7, C, N, 20);
    String[] lines = {
      "",
      "--weight-decay 0.1",
      "--optimizer adamw --weight-decay 0.1",
      "--optimizer sgd",
      "--optimizer sgd --momentum 0.8",
      "--optimizer sgd --momentum 0.8 --nesterov",
      "--optimizer sgd --weight-decay 0.3",
      "--label-smoothing 0.2",
      "--clip-grad-norm 0.01",
      "--warmup 3",
      "--schedule cosine",
    };
    var norms = new double[lines.length];
    for (int i = 0; i < lines.length; i++) {
      train(data, "run" + i, "--epochs 5 --lr 0.05 " + lines[i]);
      for (float[] tensor : weights("run" + i)) {
        for (float value : tensor) {
          norms[i] += (double) value * value;
        }
      }
      norms[i] = Math.sqrt(norms[i]);
      for (int j = 0; j < i; j++) {
        assertTrue(Math.abs(norms[i] - norms[j]) > 1e-3, lines[i] + " and " + lines[j]);
      }
    }
    // Decay makes weights smaller: in Adam's gradient, apart from it, and in SGD's gradient.
    String all = Arrays.toString(norms);
    assertTrue(norms[1] < norms[0] / 2, all);
    assertTrue(norms[2] < 0.97 * norms[0] && norms[2] > norms[1], all);
    assertTrue(norms[6] < 0.9 * norms[3], all);
  }
}
