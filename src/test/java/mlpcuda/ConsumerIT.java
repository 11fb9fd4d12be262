package mlpcuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Builds and runs the project in {@code src/it/consumer}, which depends on the artefacts that the
 * build has put into {@code target/repository}. Its local repository is empty at first; what else
 * it needs comes from this build's own local repository, so that no network is used.
 */
class ConsumerIT {
  private static final Path TARGET = Path.of("target").toAbsolutePath();
  private static final Path REPOSITORY = TARGET.resolve("repository");
  private static final String VERSION = System.getProperty("mlpcuda.it.version");
  private static final Path ARTEFACTS =
      REPOSITORY.resolve("io/github/mlpcuda/mlp-cuda").resolve(VERSION);
  private static final int MINUTES = 10;

  private static final String SETTINGS =
      """
      <settings>
        <mirrors>
          <mirror><id>kept</id><mirrorOf>central</mirrorOf><url>%s</url></mirror>
        </mirrors>
        <profiles>
          <profile>
            <id>tests</id>
            <repositories>
              <repository><id>tests</id><url>%s</url></repository>
            </repositories>
          </profile>
        </profiles>
        <activeProfiles><activeProfile>tests</activeProfile></activeProfiles>
      </settings>
      """;

  @TempDir private static Path tmp;
  private static final Path FILES = Path.of("src/test/resources/mlpcuda/input");

  private static Path consumer;
  private static List<String> classPath;

  @BeforeAll
  static void build() throws IOException, InterruptedException {
    assertTrue(Files.exists(ARTEFACTS), ARTEFACTS + " is missing: mvn verify makes it");
    consumer = tmp.resolve("consumer");
    copy(TARGET.resolve("consumer"), consumer);
    Path kept = Path.of(System.getProperty("mlpcuda.it.kept"));
    Path settings = tmp.resolve("settings.xml");
    Files.writeString(settings, SETTINGS.formatted(kept.toUri(), REPOSITORY.toUri()));
    boolean windows = File.separatorChar == '\\';
    Path maven =
        Path.of(System.getProperty("mlpcuda.it.maven"), "bin", windows ? "mvn.cmd" : "mvn");
    run(
        0,
        List.of(
            maven.toString(),
            "--batch-mode",
            "--quiet",
            "--settings=" + settings,
            "-Dmaven.repo.local=" + tmp.resolve("local"),
            "compile"));
    String dependencies = Files.readString(consumer.resolve("target/classpath")).strip();
    classPath = new ArrayList<>(List.of(dependencies.split(File.pathSeparator)));
    classPath.add(0, consumer.resolve("target/classes").toString());
  }

  private static void copy(Path from, Path to) throws IOException {
    try (Stream<Path> paths = Files.walk(from)) {
      for (Path path : (Iterable<Path>) paths::iterator) {
        Files.copy(path, to.resolve(from.relativize(path)));
      }
    }
  }

  /** Runs a command that must end with a code, and returns what it printed, errors included. */
  private static String run(int code, List<String> command)
      throws IOException, InterruptedException {
    Path output = Files.createTempFile(tmp, "output", ".txt");
    Process process =
        new ProcessBuilder(command)
            .directory(consumer.toFile())
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    boolean ended = process.waitFor(MINUTES, TimeUnit.MINUTES);
    process.destroyForcibly().waitFor();
    String printed = Files.readString(output);
    assertTrue(ended, printed);
    assertEquals(code, process.exitValue(), printed);
    return printed;
  }

  private static String runConsumer(int code, List<String> classPath, String... args)
      throws IOException, InterruptedException {
    String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    var command = new ArrayList<String>();
    // Without this option JDK 24 and later warn of native libraries among the printed lines.
    command.addAll(List.of(java, "--enable-native-access=ALL-UNNAMED"));
    command.addAll(List.of("-cp", String.join(File.pathSeparator, classPath)));
    command.addAll(List.of(args));
    return run(code, command);
  }

  /** Writes the table of the flowers in LIBSVM's format, and returns the file. */
  private static Path flowersAsLibsvm() throws IOException {
    var text = new StringBuilder();
    for (String row : Files.readAllLines(FILES.resolve("iris.csv")).subList(1, 151)) {
      String[] cells = row.split(",");
      text.append(cells[4].length());
      for (int i = 0; i < 4; i++) {
        text.append(' ').append(i + 1).append(':').append(cells[i]);
      }
      text.append('\n');
    }
    return Files.writeString(tmp.resolve("iris.libsvm"), text.toString());
  }

  private static Path artefact(String ending) {
    return ARTEFACTS.resolve("mlp-cuda-" + VERSION + ending);
  }

  private static Set<String> entries(Path jar) throws IOException {
    try (var zip = new ZipFile(jar.toFile())) {
      return zip.stream().map(ZipEntry::getName).collect(Collectors.toCollection(TreeSet::new));
    }
  }

  private static List<String> named(List<String> paths) {
    return paths.stream().map(path -> Path.of(path).getFileName().toString()).toList();
  }

  /** The program trains, saves, loads, predicts and evaluates, and prints what came of it. */
  @Test
  void theProgramRuns() throws IOException, InterruptedException {
    List<String> lines = runConsumer(0, classPath, "example.Digits").lines().toList();
    assertEquals(5, lines.size(), lines.toString());
    for (int epoch = 1; epoch <= 3; epoch++) {
      assertTrue(lines.get(epoch - 1).startsWith("Epoch " + epoch + "/3: "), lines.toString());
    }
    double accuracy = Double.parseDouble(lines.get(3).replace("accuracy ", ""));
    assertTrue(accuracy > 0.95, lines.toString());
    assertEquals("the first test digit is a 7", lines.get(4));
    for (String file : List.of("digits.safetensors", "run/model.safetensors", "run/report.html")) {
      assertTrue(Files.exists(consumer.resolve(file)), file);
    }
  }

  /** A project reads and learns examples of each format; the thin jar brings what that needs. */
  @Test
  void theProjectReadsEachFormat() throws IOException, InterruptedException {
    var command = new ArrayList<String>(List.of("example.OwnData"));
    for (String name : List.of("iris.csv", "keras.npz", "arrays", "pictures")) {
      command.add(FILES.resolve(name).toAbsolutePath().toString());
    }
    command.add(flowersAsLibsvm().toString());
    String printed = runConsumer(0, classPath, command.toArray(String[]::new));
    List<String> lines = // the logger's warnings about such small sets left out
        printed
            .lines()
            .filter(line -> line.contains(" examples of ") || line.startsWith("a "))
            .toList();
    assertEquals(10, lines.size(), printed);
    assertTrue(lines.get(0).contains("iris.csv: 150 training examples of 4 columns"), lines.get(0));
    assertEquals("a setosa is taken for a setosa", lines.get(1));
    assertTrue(lines.get(8).contains("iris.libsvm: 150 training examples"), lines.get(8));
    assertEquals("a 6 is taken for a 6", lines.get(9), "the length of the name setosa");
    for (int i = 1; i < 10; i += 2) {
      assertTrue(lines.get(i).matches("a \\S+ is taken for a \\S+"), lines.get(i));
    }
  }

  @Test
  void withoutTheArtefactOfMnistTheProgramSaysWhatToAdd() throws IOException, InterruptedException {
    var without = new ArrayList<>(classPath);
    assertTrue(without.removeIf(path -> path.endsWith("-mnist.jar")), classPath.toString());
    String printed = runConsumer(1, without, "example.Digits");
    assertTrue(
        printed.contains(
            "IllegalStateException: MNIST is not on the class path: add the artefact"
                + " io.github.mlpcuda:mlp-cuda with the classifier mnist, in the version of the"
                + " library"),
        printed);
  }

  /** What the command line alone needs is optional in the pom. */
  @Test
  void aProjectGetsNoLibraryOfTheCommandLine() {
    List<String> libraries =
        named(classPath).stream()
            .filter(name -> name.matches("(picocli|progressbar|jline|jetty-server|slf4j-nop)-.*"))
            .toList();
    assertEquals(List.of(), libraries);
  }

  @Test
  void theThinJarHasNeitherMnistNorLibrariesNorTheirList() throws IOException {
    Set<String> entries = entries(artefact(".jar"));
    assertTrue(entries.contains("META-INF/NOTICE"));
    entries.removeIf(entry -> entry.startsWith("mlpcuda/") || entry.startsWith("META-INF/"));
    assertEquals(Set.of(), entries);
    assertFalse(has(".jar", "mlpcuda/(data/mnist|shaded)/.*|META-INF/sbom/.*"));
  }

  @Test
  void theJarOfMnistHasTheDigitsAndTheirLicence() throws IOException {
    Set<String> entries = entries(artefact("-mnist.jar"));
    entries.removeIf(entry -> entry.endsWith("/"));
    assertEquals(
        Set.of(
            "META-INF/MANIFEST.MF",
            "META-INF/NOTICE",
            "mlpcuda/data/mnist/t10k-images-idx3-ubyte.gz",
            "mlpcuda/data/mnist/t10k-labels-idx1-ubyte.gz",
            "mlpcuda/data/mnist/train-images-idx3-ubyte.gz",
            "mlpcuda/data/mnist/train-labels-idx1-ubyte.gz"),
        entries);
  }

  @Test
  void theRunnableJarIsAnArtefactToo() throws IOException {
    assertEquals(-1, Files.mismatch(TARGET.resolve("mlp-cuda.jar"), artefact("-all.jar")));
  }

  @Test
  void sourcesAreWholeAndJavadocIsOfTheLibraryAlone() throws IOException {
    assertTrue(has("-sources.jar", "mlpcuda/cli/Main\\.java"));
    assertFalse(has("-sources.jar", "mlpcuda/data/mnist/.*"));
    assertTrue(has("-javadoc.jar", "mlpcuda/error/BadFileException\\.html"));
    assertTrue(has("-javadoc.jar", "mlpcuda/spark/MlpClassifier\\.html"));
    assertFalse(has("-javadoc.jar", "mlpcuda/(?!error/|spark/|class-use/)[^/]+/.+"));
  }

  private static boolean has(String ending, String entry) throws IOException {
    return entries(artefact(ending)).stream().anyMatch(name -> name.matches(entry));
  }
}
