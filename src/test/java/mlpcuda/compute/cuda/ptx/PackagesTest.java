package mlpcuda.compute.cuda.ptx;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.belongToAnyOf;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideOutsideOfPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static java.util.Map.entry;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import mlpcuda.compute.cuda.Arguments;
import mlpcuda.compute.cuda.CudaDriver;
import org.junit.jupiter.api.Test;

/** Tests that the interpreter's packages use each other in one direction, as their page says. */
class PackagesTest {
  private static final String ROOT = "mlpcuda.compute.cuda.ptx";

  private static final Pattern TEST = Pattern.compile(".*Test(\\$.*)?\\.class");

  /** The interpreter without its tests and the kernels that they run. */
  private static final JavaClasses INTERPRETER =
      new ClassFileImporter()
          .withImportOption(place -> !place.matches(TEST))
          .withImportOption(place -> !place.contains("/ptx/kernels/"))
          .importPackages(ROOT);

  /** The packages that each package may use; each may use the root. */
  private static final Map<String, List<String>> MAY_USE =
      Map.ofEntries(
          entry("parse", List.of()),
          entry("arithmetic", List.of("parse")),
          entry("races", List.of()),
          entry("memory", List.of("races")),
          entry("machine", List.of("parse", "races", "memory")),
          entry("execute", List.of("parse", "arithmetic", "races", "memory", "machine")),
          entry("decode", List.of("parse", "arithmetic", "races", "machine", "execute")),
          entry("module", List.of("parse", "memory", "machine", "decode")));

  @Test
  void packagesUseOnlyThoseBelow() {
    MAY_USE.forEach(
        (own, others) -> {
          String[] forbidden =
              MAY_USE.keySet().stream()
                  .filter(other -> !other.equals(own) && !others.contains(other))
                  .map(other -> ROOT + "." + other)
                  .toArray(String[]::new);
          noClasses()
              .that()
              .resideInAPackage(ROOT + "." + own)
              .should()
              .dependOnClassesThat()
              .resideInAnyPackage(forbidden)
              .check(INTERPRETER);
        });
    noClasses()
        .that()
        .resideInAPackage(ROOT)
        .should()
        .dependOnClassesThat(resideInAPackage(ROOT + ".(*)"))
        .check(INTERPRETER);
    slices().matching(ROOT + ".(*)..").should().beFreeOfCycles().check(INTERPRETER);
  }

  @Test
  void everyPackageIsNamed() {
    var names =
        INTERPRETER.stream()
            .map(JavaClass::getPackageName)
            .filter(name -> !name.equals(ROOT))
            .map(name -> name.substring(ROOT.length() + 1))
            .collect(Collectors.toCollection(TreeSet::new));
    assertEquals(new TreeSet<>(MAY_USE.keySet()), names);
  }

  /** What a launch is given are two values of the program; nothing else of it is known here. */
  @Test
  void theProgramIsKnownByALaunchAlone() {
    noClasses()
        .should()
        .dependOnClassesThat(
            resideInAPackage("mlpcuda..")
                .and(resideOutsideOfPackage(ROOT + ".."))
                .and(not(belongToAnyOf(Arguments.class, CudaDriver.Shape.class))))
        .check(INTERPRETER);
  }
}
