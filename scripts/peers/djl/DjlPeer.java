import ai.djl.Device;
import ai.djl.Model;
import ai.djl.engine.Engine;
import ai.djl.inference.Predictor;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.core.Linear;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.EasyTrain;
import ai.djl.training.Trainer;
import ai.djl.training.dataset.ArrayDataset;
import ai.djl.training.dataset.Batch;
import ai.djl.training.loss.Loss;
import ai.djl.training.optimizer.Adam;
import ai.djl.training.tracker.Tracker;
import ai.djl.translate.NoopTranslator;
import java.io.DataInputStream;
import java.io.FileInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.zip.GZIPInputStream;

/**
 * The default preset in DJL with PyTorch's engine, over tensors that are on the device and
 * normalised beforehand: {@code ArrayDataset} makes a batch with one index operation, {@code
 * EasyTrain} trains on it.
 *
 * <p>Arguments: folder, GPU or -1, threads, batch size, epochs, batch sizes of inference or "",
 * widths of the hidden layers.
 * What the lines of the output mean: scripts/peers.sh.
 */
public final class DjlPeer {
  private DjlPeer() {}

  public static void main(String[] args) throws Exception {
    String folder = args[0];
    int gpu = Integer.parseInt(args[1]);
    int threads = Integer.parseInt(args[2]);
    int B = Integer.parseInt(args[3]);
    int epochs = Integer.parseInt(args[4]);
    if (gpu < 0) {
      System.setProperty("ai.djl.pytorch.num_threads", String.valueOf(threads));
    }
    Engine engine = Engine.getEngine("PyTorch");
    if (gpu >= engine.getGpuCount()) {
      throw new IllegalStateException("DJL finds no GPU " + gpu);
    }
    Device device = gpu < 0 ? Device.cpu() : Device.gpu(gpu);
    engine.setRandomSeed(1);
    System.out.printf(
        "peer,DJL %s with PyTorch %s, %s%n",
        Engine.getDjlVersion(), engine.getVersion(), gpu < 0 ? "threads " + threads : device);

    try (NDManager manager = NDManager.newBaseManager(device);
        Model model = Model.newInstance("mlp", device)) {
      var network = new SequentialBlock();
      for (String width : args[6].split(",")) {
        network.add(Linear.builder().setUnits(Integer.parseInt(width)).build());
        network.add(Activation.reluBlock());
      }
      model.setBlock(network.add(Linear.builder().setUnits(10).build()));
      var config =
          new DefaultTrainingConfig(Loss.softmaxCrossEntropyLoss())
              .optOptimizer(Adam.builder().optLearningRateTracker(Tracker.fixed(1e-3f)).build())
              .optDevices(new Device[] {device});
      NDArray[] train = read(manager, folder, "train");
      var set =
          new ArrayDataset.Builder()
              .setData(normalised(train[0]))
              .optLabels(train[1])
              .setSampling(B, true)
              .build();
      try (Trainer trainer = model.newTrainer(config)) {
        trainer.initialize(new Shape(B, 784));
        for (int epoch = 1; epoch <= epochs; epoch++) {
          long start = System.nanoTime();
          for (Batch batch : trainer.iterateDataset(set)) {
            EasyTrain.trainBatch(trainer, batch);
            trainer.step();
            batch.close();
          }
          model.getBlock().getParameters().valueAt(1).getArray().getFloat(0); // waits for the GPU
          System.out.printf(
              Locale.ROOT, "epoch,%d,,%.4f%n", epoch, (System.nanoTime() - start) / 1e9);
        }
      }

      NDArray[] test = read(manager, folder, "t10k");
      try (Predictor<NDList, NDList> predictor = model.newPredictor(new NoopTranslator(null))) {
        double[] sums = evaluate(predictor, test, 1000);
        System.out.printf(
            Locale.ROOT,
            "Test set: Average loss: %.4f, Accuracy: %.0f/10000 (%.2f%%)%n",
            sums[0] / 10_000,
            sums[1],
            sums[1] / 100);
        long begin = System.nanoTime();
        double best = Double.MAX_VALUE;
        int bestSize = 0;
        for (String size : args[5].split(",")) {
          if (!size.isEmpty()) {
            double median = time(predictor, test, Integer.parseInt(size));
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
    }
  }

  /** Seconds of a pass over the test set; the first half of the passes warms up. */
  private static double time(Predictor<NDList, NDList> predictor, NDArray[] test, int B)
      throws Exception {
    List<Double> passes = new ArrayList<>();
    long start = System.nanoTime();
    while (passes.size() < 5 || System.nanoTime() - start < 1e9) {
      long before = System.nanoTime();
      evaluate(predictor, test, B);
      passes.add((System.nanoTime() - before) / 1e9);
    }
    return passes.subList(passes.size() / 2, passes.size()).stream()
        .sorted()
        .skip((passes.size() - passes.size() / 2) / 2)
        .findFirst()
        .orElseThrow();
  }

  /** Sum of the losses, and right answers. */
  private static double[] evaluate(Predictor<NDList, NDList> predictor, NDArray[] test, int B)
      throws Exception {
    Loss crossEntropy = Loss.softmaxCrossEntropyLoss();
    try (NDManager scope = test[0].getManager().newSubManager()) {
      NDArray losses = scope.zeros(new Shape(1));
      NDArray right = scope.zeros(new Shape(1));
      for (int from = 0; from < 10_000; from += B) {
        NDArray x = test[0].get(from + ":" + (from + B));
        NDArray y = test[1].get(from + ":" + (from + B));
        x.attach(scope);
        y.attach(scope);
        NDList logits = predictor.predict(new NDList(normalised(x)));
        logits.attach(scope);
        losses.addi(crossEntropy.evaluate(new NDList(y), logits).mul(B));
        right.addi(logits.singletonOrThrow().argMax(1).eq(y).sum().toType(DataType.FLOAT32, false));
      }
      return new double[] {losses.getFloat(0), right.getFloat(0)}; // waits for the GPU
    }
  }

  private static NDArray normalised(NDArray pixels) {
    return pixels.toType(DataType.FLOAT32, true).muli(1 / (255 * 0.3081f)).subi(0.1307f / 0.3081f);
  }

  /** Pixels (N, 784), and their classes (N). */
  private static NDArray[] read(NDManager manager, String folder, String split) throws IOException {
    byte[] pixels = unpack(folder + "/" + split + "-images-idx3-ubyte.gz", 16);
    byte[] labels = unpack(folder + "/" + split + "-labels-idx1-ubyte.gz", 8);
    long[] y = new long[labels.length];
    for (int i = 0; i < y.length; i++) {
      y[i] = labels[i];
    }
    return new NDArray[] {
      manager.create(ByteBuffer.wrap(pixels), new Shape(y.length, 784), DataType.UINT8),
      manager.create(y)
    };
  }

  private static byte[] unpack(String file, int header) throws IOException {
    try (var in = new DataInputStream(new GZIPInputStream(new FileInputStream(file), 1 << 16))) {
      in.skipNBytes(header);
      return in.readAllBytes();
    }
  }
}
