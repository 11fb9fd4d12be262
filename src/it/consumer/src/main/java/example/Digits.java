package example;

import java.io.PrintStream;
import java.nio.file.Path;
import mlpcuda.Adam;
import mlpcuda.Dataset;
import mlpcuda.Device;
import mlpcuda.Evaluation;
import mlpcuda.Examples;
import mlpcuda.Model;
import mlpcuda.Network;
import mlpcuda.Prediction;
import mlpcuda.Training;
import mlpcuda.TrainingResult;

/** Trains a network on handwritten digits, saves it, loads it and asks it. */
public final class Digits {
  private Digits() {}

  /** Trains on the MNIST digits on the CPU, and leaves its files in the working directory. */
  public static void main(String[] args) {
    try (Device device = Device.cpu()) {
      run(Dataset.mnist(), device, Path.of(""), System.out);
    }
  }

  /**
   * Trains, saves, loads, predicts and evaluates.
   *
   * @param folder gets digits.safetensors, and the folder run with checkpoints, metrics and report
   * @throws IllegalStateException if the network answers otherwise once it was saved and loaded
   */
  public static void run(Dataset digits, Device device, Path folder, PrintStream out) {
    Path file = folder.resolve("digits.safetensors");
    TrainingResult run =
        Training.preset("128x64")
            .epochs(3)
            .batchSize(64)
            .optimizer(Adam.rate(1e-3))
            .validation(0.1)
            .seed(1)
            .folder(folder.resolve("run"))
            .onEpoch(out::println)
            .fit(digits, device);
    run.network().save(file);
    out.println("accuracy " + run.test().accuracy());

    Examples test = digits.test();
    try (Model model = Network.load(file).on(device)) {
      Prediction first = model.predict(test.pixels(0));
      Evaluation evaluation = model.evaluate(test);
      if (evaluation.accuracy() != run.test().accuracy()) {
        throw new IllegalStateException(evaluation + " once loaded, before " + run.test());
      }
      out.println("the first test digit is a " + first.label());
    }
  }
}
