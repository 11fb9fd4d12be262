package mlpcuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Tests that comments and documents name what they speak of. A comment that begins with a pronoun
 * or a conjunction, such as "Of its weights" or "The same, rounded", cannot be understood without
 * the lines around it.
 */
class PlainEnglishTest {
  private static final List<Path> FOLDERS =
      Stream.of(".ci", "benchmarks/src", "cuda", "scripts", "src").map(Path::of).toList();

  /** The first words that refer to something outside of a comment. */
  private static final Pattern OPENING =
      Pattern.compile(
          "(of|those|that|the same|same|its?|they|them|their|and|or|but|so|also|else|such|which)\\b.*"
              + "|these (are|were|have|had|take|do|may|must|can)\\b.*",
          Pattern.CASE_INSENSITIVE | Pattern.DOTALL);

  /** The first words of a paragraph of a document, which may refer to the paragraph before. */
  private static final Pattern PARAGRAPH_OPENING =
      Pattern.compile("(Of|Those|That of)\\b.*", Pattern.DOTALL);

  /** Phrases that readers could not follow. */
  private static final Pattern PHRASE =
      Pattern.compile(
          "@(param\\s+\\S+|return|throws\\s+\\S+)\\s+(of|those|these|the same|that of|its?)\\b"
              + "|\\b(is|are) what is missing\\b"
              + "|(?<!\\b(there|where) )\\b(is|are) none\\b(?! of)"
              + "|\\bso many at most\\b|\\bhow many these\\b|\\bthe event is:"
              + "|\\bmust exist, found none\\b|\\brow that says so\\b",
          Pattern.CASE_INSENSITIVE);

  private static final Pattern JAVA_LIKE = Pattern.compile(".*\\.(java|cuh?|h|c|js|css)");
  private static final Pattern SCRIPT = Pattern.compile(".*\\.(sh|py)|.*/\\.ci/run|\\.ci/run");
  private static final Pattern DOCUMENT = Pattern.compile(".*\\.(md|html|xml)");

  /** Texts and comments: whatever begins first hides the other inside of it. */
  private static final Pattern COMMENT =
      Pattern.compile(
          "\"\"\".*?\"\"\"|\"(?:\\\\.|[^\"\\\\\n]++)*+\"|'(?:\\\\.|[^'\\\\\n]++)*+'|`(?:\\\\.|[^`\\\\]++)*+`"
              + "|(?<block>/\\*.*?\\*/)"
              + "|(?<line>//[^\n]*(?:\n[ \t]*//[^\n]*)*)",
          Pattern.DOTALL);

  private static final Pattern SCRIPT_COMMENT =
      Pattern.compile(
          "(?:^|(?<=\\s))(?<line># [^\n]*(?:\n[ \t]*# [^\n]*)*)|(?<=\\n)\\s*(?<block>\"\"\".*?\"\"\")",
          Pattern.DOTALL);

  private static final Pattern PARAGRAPH =
      Pattern.compile("(?:^|(?<=\n\n)|(?<=<!-- ))(?<line>[^\n]+(?:\n[^\n]+)*)");

  /** What marks a comment, at the beginning of a line and at the comment's end. */
  private static final Pattern MARKS =
      Pattern.compile("^\\s*(/\\*+|\\*+/?|//+|#+|<!--|\"\"\")|(\\*/|\"\"\")$", Pattern.MULTILINE);

  private record Comment(int line, String text) {}

  @Test
  void noCommentOrDocumentNeedsItsSurroundings() throws IOException {
    List<String> found = new ArrayList<>();
    List<Path> files = files();
    for (Path file : files) {
      for (Comment comment : comments(file.toString(), Files.readString(file))) {
        offence(file.toString(), comment.text)
            .ifPresent(what -> found.add("%s:%d: %s".formatted(file, comment.line, what)));
      }
    }
    assertTrue(files.size() > 100, "sources must be found, found " + files.size());
    assertEquals("", String.join("\n", found), "the texts must be understood alone");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "A.java | /** Of its weights. */ | Of its weights.",
        "A.java | int a; // the same, rounded | the same, rounded",
        "A.java | /** * Those * of it. */ | Those of it.",
        "A.java | /** Adds. * * @param a of a JPEG */ | @param a of",
        "a.cuh | // A rate of 0 is none. | is none",
        "a.sh | echo 1 # of the folder | of the folder",
        "README.md | What is missing is a row that says so. | row that says so",
        "README.md | Those of the first. | Those of the first.",
        "A.java | String a = \"// of it\"; char c = '\"'; // The sum. |",
        "A.java | /** Offers there are none of. */ |",
        "A.java | // The sum // of its parts. |",
        "a.sh | a=${#b} # The sum |"
      })
  void findsWhatRefersToItsSurroundings(String name, String text, String expected) {
    String lines = text.replaceAll(" (?=\\* |// of its)", "\n ");
    Optional<String> found =
        comments(name, lines).stream().flatMap(c -> offence(name, c.text).stream()).findFirst();
    assertEquals(Optional.ofNullable(expected), found);
  }

  private static Optional<String> offence(String name, String text) {
    Pattern opening = DOCUMENT.matcher(name).matches() ? PARAGRAPH_OPENING : OPENING;
    if (opening.matcher(text).matches()) {
      return Optional.of(text.length() <= 80 ? text : text.substring(0, 80));
    }
    Matcher phrase = PHRASE.matcher(text);
    return phrase.find() ? Optional.of(phrase.group()) : Optional.empty();
  }

  private static List<Path> files() throws IOException {
    List<Path> files = new ArrayList<>();
    for (Path folder : FOLDERS) {
      try (Stream<Path> all = Files.walk(folder)) {
        all.filter(Files::isRegularFile)
            .filter(file -> !file.equals(Path.of("src/test/java/mlpcuda/PlainEnglishTest.java")))
            .filter(file -> pattern(file.toString()).isPresent())
            .forEach(files::add);
      }
    }
    try (Stream<Path> top = Files.list(Path.of(""))) {
      top.filter(file -> DOCUMENT.matcher(file.toString()).matches()).forEach(files::add);
    }
    return files.stream().sorted().toList();
  }

  private static Optional<Pattern> pattern(String name) {
    if (JAVA_LIKE.matcher(name).matches()) {
      return Optional.of(COMMENT);
    }
    if (SCRIPT.matcher(name).matches()) {
      return Optional.of(SCRIPT_COMMENT);
    }
    return DOCUMENT.matcher(name).matches() ? Optional.of(PARAGRAPH) : Optional.empty();
  }

  /** Finds comments, each as one line without its marks. Adjacent line comments are one comment. */
  private static List<Comment> comments(String name, String source) {
    List<Comment> comments = new ArrayList<>();
    Matcher matcher = pattern(name).orElseThrow().matcher(source);
    int line = 1;
    int counted = 0;
    while (matcher.find()) {
      String kind = matcher.group("line") != null ? "line" : "block";
      if (matcher.group(kind) == null) {
        continue; // a text
      }
      int start = matcher.start(kind);
      line += (int) source.substring(counted, start).chars().filter(c -> c == '\n').count();
      counted = start;
      String text = MARKS.matcher(matcher.group(kind)).replaceAll("");
      comments.add(new Comment(line, text.strip().replaceAll("\\s+", " ")));
    }
    return comments;
  }
}
