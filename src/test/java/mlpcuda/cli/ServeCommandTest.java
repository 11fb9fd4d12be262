package mlpcuda.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import mlpcuda.Child;
import mlpcuda.compute.cuda.Gpus;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(value = 10, unit = TimeUnit.MINUTES)
class ServeCommandTest {
  @TempDir static Path tmp;
  private static Path model;
  private static Path picture;

  @BeforeAll
  static void train() throws IOException {
    Path data = Program.writeData(tmp.resolve("data"), 5, 7, 4, 60, 20);
    Path run = tmp.resolve("run");
    Program.succeed(
        Program.words("--cpu --epochs 20 --batch-size 8", "--data", data, "--out", run));
    model = run.resolve("model.safetensors");
    picture = Files.writeString(tmp.resolve("bar.pgm"), "P2 3 9 9\n" + "9 0 9\n".repeat(9));
  }

  private static Program serve(String line) {
    return Program.run(Program.words("serve --cpu " + line, "--model", model));
  }

  private static Map<String, Object> ask(Serving serving) throws IOException, InterruptedException {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(serving.url() + "predict"))
            .POST(BodyPublishers.ofFile(picture))
            .build();
    String answer = HttpClient.newHttpClient().send(request, BodyHandlers.ofString()).body();
    return Program.json(answer);
  }

  private static Map<?, ?> predicted(Gpus gpus, String device) {
    Program program =
        Program.run(gpus, Program.words("predict --json " + device, picture, "--model", model));
    assertEquals(0, program.code(), program.err());
    return (Map<?, ?>) ((List<?>) Program.json(program.out()).get("images")).get(0);
  }

  private static void assertAnswersAsPredict(Gpus gpus, String device)
      throws IOException, InterruptedException {
    Map<?, ?> expected = predicted(gpus, device);
    try (var serving = new Serving(gpus, model, device)) {
      for (int i = 0; i < 3; i++) {
        Map<String, Object> answer = ask(serving);
        for (String key : List.of("class", "probability", "likeliest")) {
          assertEquals(expected.get(key), answer.get(key), key);
        }
      }
      Program program = serving.stop();
      assertEquals(0, program.code(), program.err());
      assertEquals("", program.err());
      assertEquals(2, program.lines().size());
      assertTrue(program.lines().get(0).endsWith("(" + device.strip() + ")"), program.out());
      assertEquals(
          "Serving %s at %s (Ctrl-C ends)".formatted(model, serving.url()), program.lines().get(1));
      assertThrows(ConnectException.class, () -> ask(serving));
    }
  }

  @Test
  void answersAsPredictDoesUntilItIsStopped() throws IOException, InterruptedException {
    assertAnswersAsPredict(Program.NO_GPUS, "--cpu");
  }

  /** The emulated driver finds whatever another thread uses, or nobody releases. */
  @Test
  void answersOnAGpu() throws IOException, InterruptedException {
    assertAnswersAsPredict(GpuCommandsTest.DRIVER_ALONE, "--gpu 0");
  }

  @Test
  void listensOnThisMachineAlone() throws IOException, InterruptedException {
    try (var serving = new Serving(Program.NO_GPUS, model, "--cpu")) {
      new Socket(InetAddress.getByName("127.0.0.1"), serving.port()).close();
      // Nobody listens on another address of this machine.
      assertThrows(
          ConnectException.class,
          () -> new Socket(InetAddress.getByName("127.0.0.2"), serving.port()).close());
    }
    try (var serving = new Serving(Program.NO_GPUS, model, "--cpu --host 127.0.0.2")) {
      new Socket(InetAddress.getByName("127.0.0.2"), serving.port()).close();
      assertTrue(serving.stop().lines().get(1).contains("at http://127.0.0.2:"));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"-1", "65536", "x", ""})
  void refusesBadPorts(String port) {
    serve("--port=" + port)
        .assertRefused(
            2,
            "Invalid value for option '--port': must be a whole number from 0 to 65535, found "
                + (port.isEmpty() ? "nothing" : port),
            "'mlp-cuda serve --help' lists the options.");
  }

  @Test
  void refusesAPortThatIsTaken() throws IOException {
    try (var taken = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
      int port = taken.getLocalPort();
      serve("--port " + port)
          .assertRefused(
              8,
              "--port %d: must be free on 127.0.0.1, found: Address already in use"
                  .formatted(port));
    }
  }

  @Test
  void refusesAnAddressThatIsAnothers() { // 192.0.2.0/24 is reserved for examples
    serve("--port 0 --host 192.0.2.1")
        .assertRefused(
            8,
            "--host 192.0.2.1: must be an address of this machine, found: Cannot assign requested"
                + " address");
    Program.run("serve", "--model", model, "--host", "")
        .assertRefused(
            2,
            "Invalid value for option '--host': must be an address or a name, found nothing",
            "'mlp-cuda serve --help' lists the options.");
    serve("--port 0 --host [zz]")
        .assertRefused(8, "--host [zz]: must be an address of this machine, found: unknown host");
  }

  @Test
  void refusesWithTheUsualCodes() throws IOException {
    Program.run(Program.words("serve --cpu"))
        .assertRefused(
            2,
            "Missing required option: '--model=FILE'",
            "'mlp-cuda serve --help' lists the options.");
    Path bad = Files.write(tmp.resolve("bad"), "Dear Yann".getBytes(StandardCharsets.US_ASCII));
    Program damaged = Program.run(Program.words("serve --cpu --model", bad));
    assertEquals(4, damaged.code());
    assertTrue(damaged.err().startsWith(bad + ": "), damaged.err());
    Program noGpu = Program.run(Program.words("serve --gpu 0 --port 0 --model", model));
    assertEquals(3, noGpu.code());
    assertTrue(noGpu.err().startsWith("no GPU 0 for a test of the CPU"), noGpu.err());
  }

  /** The signal of Ctrl-C comes as a shell sends it to a process. */
  @Test
  void controlCEndsIt() throws IOException {
    List<String> command =
        Child.java(List.of(), Main.class, Program.words("serve --cpu --port 0 --model", model));
    try (Child child = Child.start(command)) {
      BufferedReader lines = child.output();
      String line = lines.readLine();
      while (!line.startsWith("Serving ")) {
        line = lines.readLine();
      }
      int port = URI.create(line.replaceFirst(".* at (http\\S+) .*", "$1")).getPort();
      try (var idle = new Socket(InetAddress.getByName("127.0.0.1"), port)) {
        idle.getOutputStream().write('G'); // a request that has begun must not delay the end
        child.signal("INT");
        assertEquals(130, child.exitCode(), "as shells have it");
      }
      assertEquals(null, lines.readLine());
    }
  }
}
