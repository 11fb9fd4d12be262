package mlpcuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests that the documents are short where they must be, and that what they point at exists. */
class DocumentsTest {
  private static final Path README = Path.of("README.md");
  private static final Path SITE = Path.of("src/site/markdown");
  private static final int MOST_BYTES = 12_288;
  private static final int LONGEST_LINE = 120;

  private static final Pattern LINK = Pattern.compile("]\\(([^)\\s]+)\\)");
  private static final Pattern HEADING = Pattern.compile("(?m)^#+ +(.+?) *$");
  private static final Pattern CODE = Pattern.compile("(?ms)^```.*?^```$|^ {4}.*?$|`[^`\\n]*`");
  private static final Pattern TEST = Pattern.compile("`([A-Z][A-Za-z0-9]*(?:Test|IT))\\b");
  private static final Pattern CLASS = Pattern.compile("`([A-Z]\\w*[a-z]\\w*)`");

  private static final Pattern PACKAGE = Pattern.compile("`([a-z.]+)`");

  @Test
  void theReadmeIsShort() throws IOException {
    long bytes = Files.size(README);
    assertTrue(bytes <= MOST_BYTES, "%s has %d bytes".formatted(README, bytes));
    List<String> tooLong =
        Files.readAllLines(README).stream().filter(l -> l.length() > LONGEST_LINE).toList();
    assertEquals(List.of(), tooLong);
  }

  @Test
  void linksLeadToFilesAndHeadings() throws IOException {
    var broken = new ArrayList<String>();
    int links = 0;
    for (Path page : pages()) {
      String text = CODE.matcher(Files.readString(page)).replaceAll("");
      for (MatchResult link : LINK.matcher(text).results().toList()) {
        String target = link.group(1);
        if (!target.matches("[a-z]+:.*")) {
          links++;
          if (!leadsSomewhere(page, target)) {
            broken.add(page + ": " + target);
          }
        }
      }
    }
    assertEquals(List.of(), broken);
    assertTrue(links > 60, links + " links");
  }

  @ParameterizedTest
  @ValueSource(strings = {"src/site/markdown/index.md", "src/site/site.xml"})
  void everyPageOfTheSiteIsListed(String list) throws IOException {
    String text = Files.readString(Path.of(list));
    try (Stream<Path> files = Files.list(SITE)) {
      for (Path page : files.toList()) {
        String name = page.getFileName().toString().replace(".md", "");
        String reference = list.endsWith(".md") ? "(%s.md)" : "\"%s.html\"";
        assertTrue(
            name.equals("index") || text.contains(reference.formatted(name)),
            name + " is not in " + list);
      }
    }
  }

  /** A class that is renamed must be renamed in the documents that explain the source. */
  @ParameterizedTest
  @ValueSource(strings = {"architecture", "testing", "library"})
  void theClassesOfAPageExist(String name) throws IOException {
    Set<String> known = classes();
    Set<String> named =
        CLASS
            .matcher(Files.readString(SITE.resolve(name + ".md")))
            .results()
            .map(found -> found.group(1))
            .collect(Collectors.toCollection(HashSet::new));
    assertTrue(named.size() >= 5, named + " in " + name);
    named.removeAll(known);
    named.removeIf(DocumentsTest::isOfTheJdk);
    assertEquals(Set.of(), named, "classes that " + name + ".md names and the source lacks");
  }

  @Test
  void theTestsThatDocumentsNameExist() throws IOException {
    Set<String> named = new TreeSet<>();
    for (Path page : pages()) {
      TEST.matcher(Files.readString(page)).results().forEach(found -> named.add(found.group(1)));
    }
    assertTrue(named.size() > 20, named + " in the documents");
    named.removeAll(classes());
    assertEquals(Set.of(), named, "tests that documents name and the source lacks");
  }

  private static boolean isOfTheJdk(String name) {
    for (String folder : List.of("java.lang.", "java.io.")) {
      try {
        Class.forName(folder + name);
        return true;
      } catch (ClassNotFoundException e) {
        // the next folder may have it
      }
    }
    return false;
  }

  /** The map of packages in architecture.md has the arrows that {@link ArchitectureTest} checks. */
  @Test
  void theMapHasTheArrows() throws IOException {
    var map = new TreeMap<String, Set<String>>();
    for (String line : Files.readAllLines(SITE.resolve("architecture.md"))) {
      String[] cells = line.split(" \\| ?");
      if (line.startsWith("| `") && cells.length >= 3) {
        map.put(names(cells[0]).iterator().next(), names(cells[cells.length - 1]));
      }
    }
    var arrows = new TreeMap<String, Set<String>>();
    ArchitectureTest.MAY_USE.forEach((name, others) -> arrows.put(name, new TreeSet<>(others)));
    arrows.forEach((name, others) -> assertEquals(others, map.get(name), "the row of " + name));
    assertEquals(arrows.keySet(), map.keySet(), "packages of the map");
  }

  private static Set<String> names(String cell) {
    return PACKAGE
        .matcher(cell)
        .results()
        .map(found -> found.group(1))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  /** Lists all pages of the repository, without folders of builds and runs. */
  private static List<Path> pages() {
    List<Path> folders = List.of(Path.of("src"), Path.of("scripts"), Path.of("benchmarks"));
    return Stream.concat(
            Stream.of(Path.of("")).flatMap(top -> list(top, 1)),
            folders.stream().flatMap(folder -> list(folder, Integer.MAX_VALUE)))
        .filter(file -> file.toString().endsWith(".md"))
        .toList();
  }

  private static Set<String> classes() {
    return Stream.of("src/main/java", "src/test/java", "benchmarks/src")
        .flatMap(folder -> list(Path.of(folder), Integer.MAX_VALUE))
        .map(file -> file.getFileName().toString())
        .filter(name -> name.endsWith(".java"))
        .map(name -> name.replace(".java", ""))
        .collect(Collectors.toSet());
  }

  private static Stream<Path> list(Path folder, int depth) {
    try (Stream<Path> files = Files.walk(folder, depth)) {
      return files.toList().stream();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static boolean leadsSomewhere(Path page, String target) throws IOException {
    String[] parts = target.split("#", 2);
    Path file = parts[0].isEmpty() ? page : page.resolveSibling(parts[0]).normalize();
    // Maven makes HTML of the folder's pages: there a link out of the folder leads nowhere.
    return Files.exists(file)
        && (!page.startsWith(SITE) || file.startsWith(SITE))
        && (parts.length == 1 || anchors(file).contains(parts[1]));
  }

  /** The anchors that GitHub gives to the headings of a page. */
  private static Set<String> anchors(Path page) throws IOException {
    return HEADING
        .matcher(Files.readString(page))
        .results()
        .map(heading -> heading.group(1).toLowerCase(Locale.ROOT))
        .map(heading -> heading.replaceAll("[^\\p{L}\\p{N} _-]", "").replace(' ', '-'))
        .collect(Collectors.toSet());
  }
}
