import java.io.DataInputStream;
import java.io.FileInputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.zip.GZIPInputStream;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;
import org.nd4j.linalg.ops.transforms.Transforms;

/**
 * The default preset in Deeplearning4j, over arrays that were normalised beforehand: a batch is
 * {@code pullRows}, one operation, and {@code fit}.
 *
 * <p>Arguments: folder, batch size, epochs, batch sizes of inference or "", widths of the hidden
 * layers. OMP_NUM_THREADS says how many threads. What the lines of the output mean: scripts/peers.sh.
 */
public final class Dl4jPeer {
  private Dl4jPeer() {}

  public static void main(String[] args) throws IOException {
    String folder = args[0];
    int B = Integer.parseInt(args[1]);
    int epochs = Integer.parseInt(args[2]);
    String jar =
        MultiLayerNetwork.class.getProtectionDomain().getCodeSource().getLocation().getPath();
    System.out.printf(
        "peer,%s, threads %s%n",
        jar.replaceAll(".*/|\\.jar$", ""), System.getenv("OMP_NUM_THREADS"));

    var layers =
        new NeuralNetConfiguration.Builder()
            .seed(1)
            .updater(new Adam(1e-3))
            .activation(Activation.RELU)
            .list();
    int inputs = 784;
    for (String width : args[4].split(",")) {
      int outputs = Integer.parseInt(width);
      layers.layer(new DenseLayer.Builder().nIn(inputs).nOut(outputs).build());
      inputs = outputs;
    }
    layers.layer(
        new OutputLayer.Builder(LossFunction.MCXENT)
            .nIn(inputs)
            .nOut(10)
            .activation(Activation.SOFTMAX)
            .build());
    var network = new MultiLayerNetwork(layers.build());
    network.init();
    INDArray[] train = read(folder, "train");
    train[0] = normalised(train[0]);
    var random = new Random(1);
    int[] order = new int[(int) train[0].size(0)];
    for (int i = 0; i < order.length; i++) {
      order[i] = i;
    }
    for (int epoch = 1; epoch <= epochs; epoch++) {
      long start = System.nanoTime();
      for (int i = order.length - 1; i > 0; i--) {
        int j = random.nextInt(i + 1);
        int swapped = order[i];
        order[i] = order[j];
        order[j] = swapped;
      }
      for (int from = 0; from < order.length; from += B) {
        int[] rows = Arrays.copyOfRange(order, from, Math.min(from + B, order.length));
        try (INDArray x = Nd4j.pullRows(train[0], 1, rows);
            INDArray y = Nd4j.pullRows(train[1], 1, rows)) {
          network.fit(x, y);
        }
      }
      System.out.printf(
          Locale.ROOT,
          "epoch,%d,%.4f,%.4f%n",
          epoch,
          network.score(),
          (System.nanoTime() - start) / 1e9);
    }

    INDArray[] test = read(folder, "t10k");
    double[] sums = evaluate(network, test, 1000);
    System.out.printf(
        Locale.ROOT,
        "Test set: Average loss: %.4f, Accuracy: %.0f/10000 (%.2f%%)%n",
        sums[0] / 10_000,
        sums[1],
        sums[1] / 100);
    long begin = System.nanoTime();
    double best = Double.MAX_VALUE;
    int bestSize = 0;
    for (String size : args[3].split(",")) {
      if (!size.isEmpty()) {
        double median = time(network, test, Integer.parseInt(size));
        bestSize = median < best ? Integer.parseInt(size) : bestSize;
        best = Math.min(best, median);
      }
    }
    if (bestSize > 0) {
      System.out.printf(
          Locale.ROOT,
          "inference,%.6f,%d,%.3f%n",
          best,
          bestSize,
          (System.nanoTime() - begin) / 1e9);
    }
  }

  /** Seconds of a pass over the test set; the first half of the passes warms up. */
  private static double time(MultiLayerNetwork network, INDArray[] test, int B) {
    List<Double> passes = new ArrayList<>();
    long start = System.nanoTime();
    while (passes.size() < 5 || System.nanoTime() - start < 1e9) {
      long before = System.nanoTime();
      evaluate(network, test, B);
      passes.add((System.nanoTime() - before) / 1e9);
    }
    return passes.subList(passes.size() / 2, passes.size()).stream()
        .sorted()
        .skip((passes.size() - passes.size() / 2) / 2)
        .findFirst()
        .orElseThrow();
  }

  /** Sum of the losses, and right answers. */
  private static double[] evaluate(MultiLayerNetwork network, INDArray[] test, int B) {
    double loss = 0;
    double right = 0;
    for (int from = 0; from < 10_000; from += B) {
      var rows = NDArrayIndex.interval(from, from + B);
      INDArray y = test[1].get(rows, NDArrayIndex.all());
      INDArray probabilities = network.output(normalised(test[0].get(rows, NDArrayIndex.all())));
      // One-hot labels: the product with them leaves the true class's.
      INDArray ofTrue = probabilities.mul(y).sum(1);
      loss -= Transforms.log(ofTrue, false).sumNumber().doubleValue();
      right +=
          probabilities.argMax(1).eq(y.argMax(1)).castTo(y.dataType()).sumNumber().doubleValue();
    }
    return new double[] {loss, right};
  }

  private static INDArray normalised(INDArray pixels) {
    return pixels.castTo(DataType.FLOAT).muli(1 / (255 * 0.3081)).subi(0.1307 / 0.3081);
  }

  /** Pixels (N, 784), and their classes, one-hot, (N, 10). */
  private static INDArray[] read(String folder, String split) throws IOException {
    byte[] pixels = unpack(folder + "/" + split + "-images-idx3-ubyte.gz", 16);
    byte[] labels = unpack(folder + "/" + split + "-labels-idx1-ubyte.gz", 8);
    float[] x = new float[pixels.length];
    for (int i = 0; i < x.length; i++) {
      x[i] = pixels[i] & 255;
    }
    float[] y = new float[labels.length * 10];
    for (int i = 0; i < labels.length; i++) {
      y[i * 10 + labels[i]] = 1;
    }
    return new INDArray[] {
      Nd4j.createFromArray(x).castTo(DataType.UINT8).reshape(labels.length, 784),
      Nd4j.createFromArray(y).reshape(labels.length, 10)
    };
  }

  private static byte[] unpack(String file, int header) throws IOException {
    try (var in = new DataInputStream(new GZIPInputStream(new FileInputStream(file), 1 << 16))) {
      in.skipNBytes(header);
      return in.readAllBytes();
    }
  }
}
