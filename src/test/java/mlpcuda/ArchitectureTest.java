package mlpcuda;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static java.util.Map.entry;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.List;
import java.util.Map;
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
              "cli",
              List.of(
                  "benchmark",
                  "report",
                  "serve",
                  "train",
                  "model",
                  "net",
                  "conformance",
                  "compute",
                  "compute.cpu",
                  "compute.cuda",
                  "data",
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
                  "files",
                  "error")),
          entry("report", List.of("train", "net", "compute", "data", "files", "error")),
          entry(
              "serve",
              List.of(
                  "train", "net", "compute", "data", "picture", "preparation", "files", "error")),
          entry("train", List.of("net", "compute", "data", "files", "error")),
          entry("model", List.of("net", "compute", "data", "preparation", "files", "error")),
          entry("net", List.of("compute", "data", "random", "files", "error")),
          entry("conformance", List.of("compute", "compute.cpu", "random", "error")),
          entry("compute", List.of("error")),
          entry("compute.cpu", List.of("compute", "random", "files", "error")),
          entry("compute.cuda", List.of("compute", "random", "files", "error")),
          entry("data", List.of("random", "files", "error")),
          entry("picture", List.of("data", "files", "error")),
          entry("preparation", List.of("picture", "data", "files", "error")),
          entry("files", List.of("error")),
          entry("random", List.of()),
          entry("error", List.of()));

  @Test
  void roomsUseOnlyTheRoomsBelow() {
    MAY_USE.forEach(
        (room, others) -> {
          String[] forbidden =
              MAY_USE.keySet().stream()
                  .filter(other -> !other.equals(room) && !others.contains(other))
                  .map(other -> "mlpcuda." + other)
                  .toArray(String[]::new);
          noClasses()
              .that()
              .resideInAPackage("mlpcuda." + room)
              .should()
              .dependOnClassesThat()
              .resideInAnyPackage(forbidden)
              .check(PROGRAM);
        });
  }

  @Test
  void everyRoomIsOnTheMap() {
    String[] known =
        MAY_USE.keySet().stream().map(room -> "mlpcuda." + room).toArray(String[]::new);
    noClasses().should().resideOutsideOfPackages(known).check(PROGRAM);
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

  @Test
  void nativeLibrariesAreUsedInOneRoomEach() {
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
        .dependOnClassesThat(resideInAPackage("jcuda.."))
        .check(PROGRAM);
  }
}
