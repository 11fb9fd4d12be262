package example;

import java.io.PrintStream;
import java.nio.file.Path;
import mlpcuda.Dataset;
import mlpcuda.Device;
import mlpcuda.Examples;
import mlpcuda.Model;
import mlpcuda.Prediction;
import mlpcuda.Training;
import mlpcuda.TrainingResult;

/** Trains a network on each of some files, whatever their format. */
public final class OwnData {
  private OwnData() {}

  /**
   * Trains on the CPU.
   *
   * @param args files and folders of examples
   */
  public static void main(String[] args) {
    try (Device device = Device.cpu()) {
      for (String path : args) {
        run(Path.of(path), device, System.out);
      }
    }
  }

  /** Trains on a file, and names the class of the first training example. */
  public static void run(Path path, Device device, PrintStream out) {
    Dataset data = Dataset.read(path);
    out.println(data);
    TrainingResult run =
        Training.preset("128x64").epochs(20).batchSize(8).seed(1).fit(data, device);
    Examples train = data.train();
    try (Model model = run.network().on(device)) {
      Prediction first = model.predictAll(train).get(0);
      String label = run.network().labels().get(train.label(0));
      out.println("a " + label + " is taken for a " + first.label());
    }
  }
}
