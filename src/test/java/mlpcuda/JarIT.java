package mlpcuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.jr.ob.JSON;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Tests what is in the jar that users run. Maven runs this class once the jar is built. */
class JarIT {
  private static final Path TARGET = Path.of("target").toAbsolutePath();
  private static final Path JAR = TARGET.resolve("mlp-cuda.jar");
  private static final String BILL = "META-INF/sbom/application.cdx.json";

  /** The places of the libraries that the program unpacks itself, into a folder of the user's. */
  private static final Pattern LOADED =
      Pattern.compile(
          "org/bytedeco/(javacpp|openblas)/[^/]+/[^/]+"
              + "|lib/(lib)?JC(udaDriver|ublas2|udnn)-[^/]+"
              + "|com/sun/jna/linux-x86-64/libjnidispatch\\.so");

  private static final Pattern NATIVE =
      Pattern.compile(".*\\.(so|dll|dylib|jnilib)(\\.[0-9.]+)?", Pattern.CASE_INSENSITIVE);

  /** Where the jar has the packages of libraries that the pom relocates. */
  private static final Map<String, String> RELOCATED =
      Map.of(
          "picocli/", "mlpcuda/shaded/picocli/",
          "com/fasterxml/jackson/", "mlpcuda/shaded/jackson/",
          "org/eclipse/jetty/", "mlpcuda/shaded/jetty/",
          "org/slf4j/", "mlpcuda/shaded/slf4j/",
          "com/twelvemonkeys/", "mlpcuda/shaded/twelvemonkeys/",
          "me/tongfei/progressbar/", "mlpcuda/shaded/progressbar/",
          "de/siegmar/fastcsv/", "mlpcuda/shaded/fastcsv/");

  /** JavaCPP, OpenBLAS, JCuda, JNA and JLine cannot be relocated; the pom says why. */
  private static final Pattern OWN_PLACE =
      Pattern.compile("(mlpcuda|jcuda|org/bytedeco|org/jline|com/sun/jna)/.*");

  private static final Pattern PURL =
      Pattern.compile("pkg:maven/[^/]+/([^@]+)@([^?]+)\\?(?:classifier=([^&]+)&)?type=jar");

  private static Set<String> entries;
  private static List<Component> components;
  private static String notice;
  private static String script;

  /** A component of the bill of materials. */
  private record Component(String name, String version, List<?> licences, String purl) {
    static Component of(Object json) {
      Map<?, ?> map = (Map<?, ?>) json;
      return new Component(
          (String) map.get("name"),
          (String) map.get("version"),
          (List<?>) map.get("licenses"),
          (String) map.get("purl"));
    }

    /** The name that Maven gives the component's jar. */
    String file() {
      Matcher matcher = PURL.matcher(purl);
      assertTrue(matcher.matches(), purl);
      String classifier = matcher.group(3) == null ? "" : "-" + matcher.group(3);
      return matcher.group(1) + "-" + matcher.group(2) + classifier + ".jar";
    }
  }

  @BeforeAll
  static void read() throws IOException {
    entries = entries(JAR);
    assertTrue(entries.contains(BILL), BILL + " is missing: mvn -o does not write it");
    try (var jar = new ZipFile(JAR.toFile())) {
      components =
          ((List<?>) JSON.std.mapFrom(text(jar, BILL)).get("components"))
              .stream().map(Component::of).toList();
      notice = text(jar, "META-INF/NOTICE");
      script = text(jar, "mlpcuda/report/chart.umd.min.js");
    }
  }

  private static String text(ZipFile jar, String entry) throws IOException {
    return new String(
        jar.getInputStream(jar.getEntry(entry)).readAllBytes(), StandardCharsets.UTF_8);
  }

  private static Set<String> entries(Path jar) throws IOException {
    try (var zip = new ZipFile(jar.toFile())) {
      return zip.stream().map(entry -> entry.getName()).collect(Collectors.toSet());
    }
  }

  /**
   * A library of natives that unpacks them into the folder for temporary files would load what
   * another user has put there.
   */
  @Test
  void everyNativeLibraryIsOneThatTheProgramUnpacks() {
    List<String> natives =
        entries.stream().filter(entry -> NATIVE.matcher(entry).matches()).sorted().toList();
    assertFalse(natives.isEmpty());
    assertEquals(
        List.of(), natives.stream().filter(entry -> !LOADED.matcher(entry).matches()).toList());
  }

  /** Each module ships as PTX, and as machine code for each architecture from its target on. */
  @Test
  void everyModuleIsThereAsMachineCodeForEachArchitecture() throws IOException {
    ShippedCubins.assumeThere();
    var wanted = new TreeSet<String>();
    try (var jar = new ZipFile(JAR.toFile());
        var modules = Files.newDirectoryStream(Path.of("cuda", "ptx"), "*.ptx")) {
      for (Path module : modules) {
        String ptx = "mlpcuda/compute/cuda/" + module.getFileName();
        assertEquals(Files.readString(module), text(jar, ptx));
        for (int architecture : new int[] {75, 80, 86, 89, 90}) {
          if (architecture >= 80 || !module.toString().contains("_")) { // tensor cores: from 80 on
            wanted.add(ptx.replace(".ptx", ".sm_" + architecture + ".cubin"));
          }
        }
      }
    }
    var there = new TreeSet<>(entries);
    there.removeIf(entry -> !entry.endsWith(".cubin"));
    assertEquals(wanted, there);
  }

  /** What assembles is for the build alone: the jar lacks the library that it calls. */
  @Test
  void theAssemblerStaysOut() {
    assertFalse(entries.contains("mlpcuda/compute/cuda/Cubins.class"));
    assertFalse(entries.contains("mlpcuda/compute/cuda/PtxAssembler.class"));
  }

  /** A library is inside when the jar has a class, a native library or the like of it. */
  @Test
  void theBillOfMaterialsListsTheLibrariesInsideAndNoOthers() throws IOException {
    var inside = new TreeSet<String>();
    for (String element : System.getProperty("java.class.path").split(File.pathSeparator)) {
      Path path = Path.of(element).toAbsolutePath();
      if (element.endsWith(".jar") && !path.startsWith(TARGET)) {
        boolean any =
            entries(path).stream()
                .anyMatch(entry -> !entry.startsWith("META-INF/") && isFileInside(entry));
        if (any) {
          inside.add(path.getFileName().toString());
        }
      }
    }
    var listed = new TreeSet<>(components.stream().map(Component::file).toList());
    inside.add("chart.js-" + version("Chart\\.js"));
    inside.add("kurkle__color-" + version("@kurkle/color"));
    assertEquals(inside, listed);
  }

  /** The version that the report's script names in its comments, as the end of a jar's name. */
  private static String version(String library) {
    Matcher matcher = Pattern.compile(library + " v([0-9.]+)").matcher(script);
    assertTrue(matcher.find(), library);
    return matcher.group(1) + ".jar";
  }

  private static boolean isFileInside(String entry) {
    String place = entry;
    for (Map.Entry<String, String> relocation : RELOCATED.entrySet()) {
      if (entry.startsWith(relocation.getKey())) {
        place = relocation.getValue() + entry.substring(relocation.getKey().length());
      }
    }
    return !place.endsWith("/") && entries.contains(place);
  }

  /** An application that has this jar on its class path may have other versions of libraries. */
  @Test
  void noClassLiesWhereAnotherJarMayHaveItToo() {
    List<String> classes =
        entries.stream().filter(entry -> entry.endsWith(".class")).sorted().toList();
    assertFalse(classes.isEmpty());
    assertEquals(
        List.of(), classes.stream().filter(entry -> !OWN_PLACE.matcher(entry).matches()).toList());
  }

  /** No jar contains Spark, which a sweep on a cluster needs. */
  @Test
  void aSweepOnAClusterSaysWhereSparkComesFrom() {
    String java = ProcessHandle.current().info().command().orElseThrow();
    List<String> sweep = List.of("sweep", "--spark", "local[1]", "--grid", "seed=1..2");
    var command = new ArrayList<>(List.of(java, "-jar", JAR.toString()));
    command.addAll(sweep);
    try (Child program = Child.start(command)) {
      String output = program.rest();
      assertEquals(2, program.exitCode(), output);
      assertTrue(output.startsWith("--spark needs Spark's classes"), output);
    }
  }

  /** A service file that kept a class's former name would be of no effect. */
  @Test
  void serviceFilesNameClassesOfTheJar() throws IOException {
    var services = new TreeSet<>(entries);
    services.removeIf(entry -> !entry.matches("META-INF/services/[^/]+"));
    assertTrue(
        services.contains("META-INF/services/mlpcuda.shaded.slf4j.spi.SLF4JServiceProvider"));
    try (var jar = new ZipFile(JAR.toFile())) {
      for (String service : services) {
        for (String line : text(jar, service).lines().toList()) {
          String name = line.replaceFirst("#.*", "").strip();
          assertTrue(
              name.isEmpty() || entries.contains(name.replace('.', '/') + ".class"),
              service + ": " + line);
        }
      }
    }
  }

  @Test
  void everyComponentHasAVersionAndALicenceAndIsNamedInNotice() {
    for (Component component : components) {
      assertFalse(component.version() == null, component.toString());
      assertFalse(
          component.licences() == null || component.licences().isEmpty(), component.toString());
      assertTrue(
          Pattern.compile("(?<![\\w-])" + Pattern.quote(component.name()) + "(?![\\w-])")
              .matcher(notice)
              .find(),
          "NOTICE does not name " + component.name());
    }
  }
}
