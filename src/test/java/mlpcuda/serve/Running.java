package mlpcuda.serve;

import java.io.IOException;
import java.net.InetAddress;
import java.net.URI;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import mlpcuda.compute.Activation;
import mlpcuda.compute.Ops;
import mlpcuda.compute.cpu.CpuOps;
import mlpcuda.data.PixelScaling;
import mlpcuda.data.View;
import mlpcuda.net.MlpShape;
import mlpcuda.net.Parameters;
import mlpcuda.net.Pass;
import mlpcuda.net.Weights;
import mlpcuda.preparation.ImageForm;
import mlpcuda.preparation.Preparation;
import mlpcuda.train.AveragedPredictor;

/** A server with a small network of arbitrary weights, on a free port. */
final class Running implements AutoCloseable {
  static final int ROWS = 5;
  static final int COLS = 7;
  static final int CLASSES = 4;

  private final PredictionServer server;
  private final CompletableFuture<Void> ended;
  private volatile boolean stopping;

  /** The failures that the server reported. */
  final List<Throwable> failures = new CopyOnWriteArrayList<>();

  /** Starts a server with a real network. */
  Running() throws IOException {
    this("127.0.0.1", null);
  }

  /**
   * Starts a server with {@code answers} in place of a network; null starts it with its network.
   */
  Running(String host, PictureQueue.Answering answers) throws IOException {
    this(host, PredictionServer.SECONDS, answers);
  }

  /** Starts a server whose pictures wait at most {@code answerSeconds} for their answers. */
  Running(String host, int answerSeconds, PictureQueue.Answering answers) throws IOException {
    server =
        PredictionServer.open(host, InetAddress.getByName(host), 0, answerSeconds, failures::add);
    ended =
        CompletableFuture.runAsync(
            () -> {
              if (answers == null) {
                askNetwork();
              } else {
                server.run(answering(answers), () -> stopping);
              }
            },
            task -> new Thread(task, "device").start());
  }

  /** A network in whose place {@code answers} answers. */
  private static Responder answering(PictureQueue.Answering answers) {
    return new Responder() {
      @Override
      public byte[] description() {
        return RawHttp.bytes("{}");
      }

      @Override
      public String page() {
        return "index.html";
      }

      @Override
      public byte[] answer(byte[] body, boolean raw) throws RefusedException {
        return answers.answer(body, raw);
      }
    };
  }

  private void askNetwork() {
    var shape = new MlpShape(List.of(ROWS * COLS, 6, CLASSES), Activation.RELU, Activation.NONE);
    var unit = new PixelScaling("unit", 0, 1);
    var form = ImageForm.grey(ROWS, COLS, unit, Preparation.MNIST_FORM, false);
    try (Ops ops = new CpuOps(1);
        var predictor =
            new AveragedPredictor(
                ops,
                List.of(new Pass(new Weights(shape, weights(ops, shape)), View.AS_IS)),
                unit,
                1,
                "a network")) {
      var network = new Recogniser(ops, shape, predictor, form, "net.safetensors");
      server.run(network, () -> stopping);
    }
  }

  private static List<float[]> weights(Ops ops, MlpShape shape) {
    try (var parameters = new Parameters(ops, shape)) {
      parameters.initialise(1);
      return parameters.read();
    }
  }

  int port() {
    return URI.create(server.url()).getPort();
  }

  int connections() {
    return server.connections();
  }

  String url() {
    return server.url();
  }

  /** Completes when the device's thread ends, normally or with the failure that it threw. */
  CompletableFuture<Void> ended() {
    return ended;
  }

  @Override
  public void close() {
    stopping = true;
    ended.orTimeout(5, TimeUnit.MINUTES).exceptionally(e -> null).join();
    server.close();
  }
}
