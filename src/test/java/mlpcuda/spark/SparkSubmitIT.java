package mlpcuda.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import mlpcuda.Child;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Submits programs to a cluster of a master and two workers, each a process on this machine, as
 * Spark's scripts would start them. Their Spark is the one of the project in {@code src/it/spark},
 * whose libraries have the versions that Spark chose and not those that the tests run with.
 */
@Tag("long")
@Timeout(value = 15, unit = TimeUnit.MINUTES)
class SparkSubmitIT {
  private static final Path TARGET = Path.of("target").toAbsolutePath();
  private static final Path FLOWERS =
      Path.of("src/test/resources/mlpcuda/input/iris.csv").toAbsolutePath();
  private static final Pattern ADDRESS =
      Pattern.compile("Starting Spark master at (spark://\\S+:\\d+)");
  private static final Pattern REGISTERED = Pattern.compile("Registering worker ");

  /** The libraries of the thin jar that training needs on this platform. */
  private static final Pattern LIBRARY =
      Pattern.compile("(javacpp|openblas|jna|jcuda|jcublas|jcudnn|jnvptxcompiler|jackson-jr)-.*");

  private static final Path DISTRIBUTION = TARGET.resolve("spark-distribution");

  /** The installation is not in the temporary folder, because JUnit warns of each link there. */
  private static final Path HOME = DISTRIBUTION.resolve("installation");

  @TempDir private static Path tmp;
  private static String master;
  private static Path program;
  private static final List<Process> SERVERS = new ArrayList<>();
  private static final List<Path> LOGS = new ArrayList<>(); // one for each server, in their order

  /** JUnit applies the limit of a class to its tests alone, so that this method has its own. */
  @BeforeAll
  @Timeout(value = 10, unit = TimeUnit.MINUTES)
  static void start() throws Exception {
    install();
    program = tmp.resolve("flowers.jar");
    pack(program, "example/Flowers.class");
    Path log = server("org.apache.spark.deploy.master.Master", "--port", "0");
    master = waitFor(log, ADDRESS, 1).group(1);
    for (int worker = 0; worker < 2; worker++) {
      server(
          "org.apache.spark.deploy.worker.Worker",
          "--cores",
          "1",
          "--memory",
          "1g",
          "--work-dir",
          tmp.resolve("work").toString(),
          master);
    }
    waitFor(log, REGISTERED, 2);
  }

  @AfterAll
  static void stop() throws InterruptedException {
    for (Process server : SERVERS) {
      List<ProcessHandle> executors = server.descendants().toList();
      server.destroyForcibly().waitFor(); // first: a worker starts an executor that ended again
      executors.forEach(ProcessHandle::destroyForcibly);
    }
  }

  /** Links the jars that Maven chooses for Spark alone. */
  private static void install() throws IOException {
    String maven = Path.of(System.getProperty("mlpcuda.it.maven"), "bin", "mvn").toString();
    String kept = "-Dmaven.repo.local=" + System.getProperty("mlpcuda.it.kept");
    String project = DISTRIBUTION.toString();
    run(
        new ProcessBuilder(maven, "--batch-mode", "--quiet", "-f", project, kept, "compile")
            .redirectErrorStream(true));
    Path jars = Files.createDirectories(HOME.resolve("jars"));
    try (Stream<Path> former = Files.list(jars)) {
      for (Path link : former.toList()) {
        Files.delete(link);
      }
    }
    String found = Files.readString(DISTRIBUTION.resolve("target/classpath")).strip();
    for (String jar : found.split(File.pathSeparator)) {
      Files.createSymbolicLink(jars.resolve(Path.of(jar).getFileName()), Path.of(jar));
    }
  }

  private static void pack(Path jar, String entry) throws IOException {
    try (var out = new ZipOutputStream(Files.newOutputStream(jar))) {
      out.putNextEntry(new ZipEntry(entry));
      Files.copy(TARGET.resolve("test-classes").resolve(entry), out);
      out.closeEntry();
    }
  }

  private static ProcessBuilder java(String main, String... arguments) {
    var command = new ArrayList<String>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-Xmx1g", "-cp", HOME.resolve("jars") + "/*"));
    command.addAll(List.of(org.apache.spark.launcher.JavaModuleOptions.defaultModuleOptionArray()));
    command.add(main);
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().put("SPARK_HOME", HOME.toString());
    builder.environment().put("SPARK_SCALA_VERSION", "2.13");
    builder.environment().put("SPARK_LOCAL_IP", "127.0.0.1");
    return builder;
  }

  /** Starts a server of the cluster on a free port of this machine, and returns its log. */
  private static Path server(String main, String... arguments) throws IOException {
    Path log = Files.createTempFile(tmp, "server", ".log");
    LOGS.add(log);
    var all = new ArrayList<>(List.of("--host", "127.0.0.1", "--webui-port", "0"));
    all.addAll(List.of(arguments));
    SERVERS.add(java(main, all.toArray(String[]::new)).redirectOutput(log.toFile()).start());
    return log;
  }

  /** Waits until a server's log has so many lines with a pattern, and returns the last match. */
  private static Matcher waitFor(Path log, Pattern pattern, int count) throws Exception {
    while (true) {
      String text = Files.readString(log);
      Matcher matcher = pattern.matcher(text);
      int found = 0;
      while (found < count && matcher.find()) {
        found++;
      }
      if (found == count) {
        return matcher;
      }
      for (int i = 0; i < SERVERS.size(); i++) {
        assertTrue(SERVERS.get(i).isAlive(), LOGS.get(i) + ": " + Files.readString(LOGS.get(i)));
      }
      Thread.sleep(50);
    }
  }

  private static String run(ProcessBuilder builder) {
    try (Child child = Child.start(builder)) {
      String printed = child.rest();
      assertEquals(0, child.exitCode(), printed);
      return printed;
    }
  }

  /** Does what the script spark-submit does. */
  private static String submit(String... arguments) {
    var all = new ArrayList<>(List.of("--master", master, "--executor-memory", "900m"));
    all.addAll(List.of("--conf", "spark.ui.enabled=false"));
    all.addAll(List.of("--conf", "spark.driver.host=127.0.0.1"));
    all.addAll(List.of(arguments));
    return run(java("org.apache.spark.deploy.SparkSubmit", all.toArray(String[]::new)));
  }

  private static void learnsFlowers(String jars, String workers) {
    String pipeline = tmp.resolve("pipeline-" + workers).toUri().toString();
    String printed =
        submit(
            "--class",
            "example.Flowers",
            "--jars",
            jars,
            program.toString(),
            FLOWERS.toUri().toString(),
            pipeline,
            workers);
    Matcher accuracy = Pattern.compile("(?m)^accuracy (\\S+)$").matcher(printed);
    assertTrue(accuracy.find(), printed);
    assertTrue(Double.parseDouble(accuracy.group(1)) > 0.95, printed);
    assertTrue(Files.exists(Path.of(java.net.URI.create(pipeline)).resolve("stages")));
  }

  @Test
  void theRunnableJarBringsAllThatAProgramNeeds() throws Exception {
    learnsFlowers(TARGET.resolve("mlp-cuda.jar").toString(), "2");
  }

  /** Spark's own versions of libraries come first on its class path. */
  @Test
  void theThinJarWorksWithItsLibraries() throws Exception {
    String version = System.getProperty("mlpcuda.it.version");
    Stream<String> libraries =
        Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
            .filter(jar -> LIBRARY.matcher(Path.of(jar).getFileName().toString()).matches());
    String thin = TARGET.resolve("mlp-cuda-" + version + ".jar").toString();
    learnsFlowers(String.join(",", Stream.concat(Stream.of(thin), libraries).toList()), "1");
  }

  @Test
  void aSweepIsSubmittedAsAProgram() throws Exception {
    String printed =
        submit(
            "--class",
            "mlpcuda.cli.Main",
            TARGET.resolve("mlp-cuda.jar").toString(),
            "sweep",
            "--spark",
            master,
            "--data",
            FLOWERS.toString(),
            "--epochs",
            "3",
            "--batch-size",
            "8",
            "--grid",
            "seed=1..3",
            "--out",
            tmp.resolve("sweep").toString());
    for (int seed = 1; seed <= 3; seed++) {
      Path run = tmp.resolve("sweep").resolve("00%d-seed=%d".formatted(seed, seed));
      assertTrue(Files.exists(run.resolve("model.safetensors")), printed);
    }
  }
}
