package mlpcuda.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import mlpcuda.model.Committee;
import mlpcuda.preparation.ExampleForm;
import mlpcuda.preparation.ImageForm;
import mlpcuda.preparation.NumberForm;
import mlpcuda.serve.PredictionServer;
import mlpcuda.serve.Recogniser;
import mlpcuda.serve.Responder;
import mlpcuda.serve.RowRecogniser;
import mlpcuda.train.AveragedPredictor;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** {@code serve}: a page to draw on, which shows what a saved network takes the drawing for. */
@Command(
    name = "serve",
    description = {
      "Serves a page to draw on, which shows what a saved network takes the drawing for, and"
          + " POST /predict for programs.",
      "A body has at most 1 MiB, a picture 4 megapixels; an answer comes within 5 s. Only this"
          + " machine is answered unless --host says otherwise.",
      "A request's lines must come within 5 s and its body at 8 KiB a second or faster, within 60 s;"
          + " one address has at most 64 connections, all together 1,024."
    },
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    sortOptions = false)
final class ServeCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;
  @ParentCommand private Context context;

  @Option(
      names = "--model",
      paramLabel = "FILE",
      required = true,
      description = "A model.safetensors that training wrote.")
  private Path model;

  @Option(
      names = "--port",
      paramLabel = "N",
      converter = Converters.Port.class,
      description = "Where to listen; 0: a free port. Default: 8080.")
  private int port = 8080;

  @Option(
      names = "--host",
      paramLabel = "ADDRESS",
      description =
          "The address to listen on, or its name; 0.0.0.0 for all. Whoever reaches it is answered."
              + " Default: 127.0.0.1, this machine alone.")
  private String host = "127.0.0.1";

  @Mixin private PreparationOption prepare = new PreparationOption();

  @Mixin private DeviceOptions device = new DeviceOptions();

  @Override
  public Integer call() {
    if (host.isBlank()) {
      throw new ParameterException(
          spec.commandLine(),
          "Invalid value for option '--host': must be an address or a name, found nothing");
    }
    device.check();
    PrintWriter out = spec.commandLine().getOut();
    PrintWriter err = spec.commandLine().getErr();
    var terminal = new Terminal(out, Terminal.isInteractive());
    Committee network = Committee.read(model);
    checkForm(network.form());
    try (PredictionServer server = open(err);
        OpenDevice opened = device.open();
        var predictor =
            new AveragedPredictor(
                opened.ops(),
                network.passes(),
                network.form().scaling(),
                1,
                model + ": " + network.description())) {
      terminal.line("%s", opened.line(opened.ops().description()));
      terminal.line("Serving %s at %s (Ctrl-C ends)", model, server.url());
      out.flush();
      server.run(served(opened, network, predictor), context.stopping());
    }
    return 0;
  }

  /** Refuses a network that cannot be asked by requests, before a port and a device are opened. */
  private void checkForm(ExampleForm form) {
    if (form instanceof NumberForm && prepare.isGiven()) {
      throw new ParameterException(
          spec.commandLine(), "--prepare is for networks of pictures, and this one takes numbers");
    }
    if (form instanceof ImageForm) {
      form.images(model); // a network of colour images is refused
    }
  }

  private Responder served(OpenDevice opened, Committee network, AveragedPredictor predictor) {
    String name = model.getFileName().toString();
    return network.form() instanceof NumberForm numbers
        ? new RowRecogniser(opened.ops(), network.shape(), predictor, numbers, name)
        : new Recogniser(
            opened.ops(),
            network.shape(),
            predictor,
            prepare.of(network.form().images(model)),
            name);
  }

  private PredictionServer open(PrintWriter err) {
    InetAddress address;
    try {
      address = InetAddress.getByName(host);
    } catch (UnknownHostException e) {
      throw notOurs("unknown host", e);
    }
    try {
      return PredictionServer.open(host, address, port, failure -> failure.printStackTrace(err));
    } catch (IOException e) {
      throw isOurs(address)
          ? new RefusedException(
              ExitCode.NO_PORT,
              "--port %d: must be free on %s, found: %s".formatted(port, host, e.getMessage()),
              e)
          : notOurs(e.getMessage(), e);
    }
  }

  private RefusedException notOurs(String finding, IOException e) {
    return new RefusedException(
        ExitCode.NO_PORT,
        "--host %s: must be an address of this machine, found: %s".formatted(host, finding),
        e);
  }

  private static boolean isOurs(InetAddress address) {
    try {
      return address.isAnyLocalAddress()
          || address.isLoopbackAddress()
          || NetworkInterface.getByInetAddress(address) != null;
    } catch (IOException e) {
      return true; // unknown; a port in use is the likelier cause
    }
  }
}
