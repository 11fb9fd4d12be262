package mlpcuda;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static java.util.Map.entry;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaCodeUnit;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Tests on the byte code which package may use which: the arrows of the map in architecture.md. */
class ArchitectureTest {
  private static final JavaClasses PROGRAM =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .importPackages("mlpcuda");

  /** The packages, and which others each may use. */
  static final Map<String, List<String>> MAY_USE =
      Map.ofEntries(
          entry(
              "mlpcuda",
              List.of(
                  "run",
                  "train",
                  "model",
                  "net",
                  "compute",
                  "compute.cpu",
                  "compute.cuda",
                  "input",
                  "data",
                  "features",
                  "picture",
                  "preparation",
                  "files",
                  "error")),
          entry(
              "run",
              List.of(
                  "report",
                  "train",
                  "model",
                  "net",
                  "compute",
                  "compute.cuda",
                  "input",
                  "data",
                  "features",
                  "preparation",
                  "files",
                  "error")),
          entry(
              "cli",
              List.of(
                  "benchmark",
                  "run",
                  "report",
                  "serve",
                  "spark",
                  "train",
                  "model",
                  "net",
                  "conformance",
                  "compute",
                  "compute.cpu",
                  "compute.cuda",
                  "input",
                  "data",
                  "features",
                  "picture",
                  "preparation",
                  "files",
                  "error")),
          entry(
              "benchmark",
              List.of(
                  "train",
                  "net",
                  "conformance",
                  "compute",
                  "compute.cpu",
                  "data",
                  "features",
                  "files",
                  "error")),
          entry("report", List.of("train", "net", "compute", "data", "features", "files", "error")),
          entry(
              "serve",
              List.of(
                  "train", "net", "compute", "data", "picture", "preparation", "files", "error")),
          entry("spark", List.of("mlpcuda", "error")),
          entry("train", List.of("net", "compute", "data", "features", "files", "error")),
          entry("model", List.of("net", "compute", "data", "preparation", "files", "error")),
          entry("net", List.of("compute", "data", "features", "random", "files", "error")),
          entry("conformance", List.of("compute", "compute.cpu", "random", "error")),
          entry("compute", List.of("features", "random", "error")),
          entry("compute.cpu", List.of("compute", "features", "random", "files", "error")),
          entry("compute.cuda", List.of("compute", "features", "random", "files", "error")),
          entry("data", List.of("features", "random", "files", "error")),
          entry("input", List.of("picture", "preparation", "data", "features", "files", "error")),
          entry("picture", List.of("data", "files", "error")),
          entry("preparation", List.of("picture", "data", "features", "files", "error")),
          entry("files", List.of("error")),
          entry("features", List.of()),
          entry("random", List.of()),
          entry("error", List.of()));

  private static String fullName(String name) {
    return name.equals("mlpcuda") ? name : "mlpcuda." + name;
  }

  @Test
  void packagesUseOnlyThePackagesBelow() {
    MAY_USE.forEach(
        (name, others) -> {
          String[] forbidden =
              MAY_USE.keySet().stream()
                  .filter(other -> !other.equals(name) && !others.contains(other))
                  .map(ArchitectureTest::fullName)
                  .toArray(String[]::new);
          noClasses()
              .that()
              .resideInAPackage(fullName(name))
              .should()
              .dependOnClassesThat()
              .resideInAnyPackage(forbidden)
              .check(PROGRAM);
        });
  }

  @Test
  void everyPackageIsOnTheMap() {
    String[] known =
        MAY_USE.keySet().stream().map(ArchitectureTest::fullName).toArray(String[]::new);
    noClasses().should().resideOutsideOfPackages(known).check(PROGRAM);
  }

  /** What users of the library see must not lead them to classes that change without notice. */
  @Test
  void theLibraryShowsItsOwnTypesAlone() {
    for (JavaClass type : PROGRAM) {
      if (!type.getPackageName().equals("mlpcuda") || !isPublic(type)) {
        continue;
      }
      for (JavaCodeUnit unit : type.getCodeUnits()) {
        if (unit.getModifiers().contains(JavaModifier.PUBLIC)) {
          var shown = new ArrayList<>(unit.getRawParameterTypes());
          shown.add(unit.getRawReturnType());
          for (JavaClass each : shown) {
            String from = each.getBaseComponentType().getPackageName();
            assertTrue(
                !from.startsWith("mlpcuda")
                    || from.equals("mlpcuda")
                    || from.equals("mlpcuda.error"),
                unit.getFullName() + " shows " + each.getName());
          }
        }
      }
    }
  }

  private static boolean isPublic(JavaClass type) {
    return type.getModifiers().contains(JavaModifier.PUBLIC);
  }

  /** A command turns options into values, and prints what comes back: it does no more. */
  @Test
  void classesOfTheCommandLineAreShort() throws IOException {
    try (Stream<Path> files = Files.list(Path.of("src/main/java/mlpcuda/cli"))) {
      for (Path file : files.toList()) {
        long lines = Files.readString(file).lines().count();
        assertTrue(lines <= 250, "%s has %d lines, more than 250".formatted(file, lines));
      }
    }
  }

  /**
   * Only the decoder of pictures may use AWT: a server often has no fonts, and a small runtime no
   * AWT.
   */
  @Test
  void onlyTheDecoderOfPicturesUsesAwt() {
    noClasses()
        .that()
        .doNotHaveFullyQualifiedName("mlpcuda.picture.CodedPicture")
        .and()
        .doNotHaveFullyQualifiedName("mlpcuda.picture.CodedPicture$Input")
        .and()
        .doNotHaveFullyQualifiedName("mlpcuda.picture.GreyPixels")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("java.awt..", "javax.imageio..", "javax.swing..")
        .check(PROGRAM);
  }

  /** Whoever neither serves nor downloads must not wait until Jetty is loaded. */
  @Test
  void onlyTheServerAndDownloadsUseJetty() {
    noClasses()
        .that()
        .resideOutsideOfPackage("mlpcuda.serve")
        .and()
        .haveNameNotMatching("mlpcuda\\.data\\.HttpGet(\\$.*)?")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("org.eclipse.jetty..", "org.slf4j..")
        .check(PROGRAM);
  }

  /** No jar contains Spark: all that runs without it must not load its classes. */
  @Test
  void onlyTheEstimatorAndSweepsOnAClusterUseSpark() {
    noClasses()
        .that()
        .resideOutsideOfPackage("mlpcuda.spark")
        .and()
        .haveNameNotMatching("mlpcuda\\.cli\\.SparkRunner(\\$.*)?")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("org.apache.spark..", "org.apache.hadoop..", "scala..")
        .check(PROGRAM);
  }

  @Test
  void nativeLibrariesAreUsedInOnePackageEach() {
    noClasses()
        .that()
        .resideOutsideOfPackage("mlpcuda.compute.cpu")
        .should()
        .dependOnClassesThat(resideInAPackage("org.bytedeco.."))
        .check(PROGRAM);
    noClasses()
        .that()
        .resideOutsideOfPackage("mlpcuda.compute.cuda")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("jcuda..", "com.sun.jna..")
        .check(PROGRAM);
  }
}
