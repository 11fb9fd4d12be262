package mlpcuda.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/**
 * Makes the page of the documentation that lists the options of all commands from the commands' own
 * help, and tests that the page in the repository is that one.
 */
class OptionsPageTest {
  private static final Path PAGE = Path.of("src/site/markdown/options.md");
  private static final String WRITE = "mvn -q test -Dtest=OptionsPageTest -Doptions.write=true";
  private static final Pattern OPTION = Pattern.compile("(?<![\\w-])--[a-z][a-z-]*[a-z]");

  @Test
  void thePageSaysWhatTheHelpSays() throws IOException {
    String page = page(Main.described(Program.NO_GPUS));
    if (Boolean.getBoolean("options.write")) {
      Files.writeString(PAGE, page);
    }
    assertEquals(
        page, Files.readString(PAGE), PAGE + " differs from the help; make it by " + WRITE);
  }

  /** The help of a command names each option of the page. */
  @Test
  void theHelpHasEachOption() {
    CommandLine all = Main.described(Program.NO_GPUS);
    commands(all)
        .forEach(
            (name, command) -> {
              String help = Program.succeed(name, "--help").out();
              for (OptionSpec option : command.getCommandSpec().options()) {
                String shown = name(option, command.getCommandSpec());
                assertTrue(help.contains(shown), shown + " in the help of " + name);
              }
            });
  }

  private static Map<String, CommandLine> commands(CommandLine all) {
    Map<String, CommandLine> commands = new LinkedHashMap<>(all.getSubcommands());
    commands.remove("help");
    return commands;
  }

  private static String page(CommandLine all) {
    var page = new StringBuilder();
    page.append("# Options\n\n")
        .append(
            "This page lists the options of each command. It is made from the program's own help, ")
        .append("which\n`java -jar target/mlp-cuda.jar COMMAND --help` prints, by\n`")
        .append(WRITE)
        .append("`.\n\n| command | what it does |\n|---|---|\n");
    commands(all)
        .forEach(
            (name, command) ->
                page.append("| [%s](#%s) | %s |\n".formatted(name, name, summary(command))));
    commands(all).forEach((name, command) -> page.append(section(name, command.getCommandSpec())));
    return page.toString();
  }

  private static String summary(CommandLine command) {
    return cell(command.getCommandSpec().usageMessage().description()[0]);
  }

  private static String section(String name, CommandSpec command) {
    var section = new StringBuilder("\n## " + name + "\n\n");
    for (String sentence : command.usageMessage().description()) {
      section.append(prose(sentence)).append('\n');
    }
    section.append("\n| option | meaning |\n|---|---|\n");
    for (PositionalParamSpec operand : command.positionalParameters()) {
      section.append(row(operand.paramLabel(), operand.description()));
    }
    section.append(rows(command, Predicate.not(MeasuringOptions::isMeasuring)));
    String measuring = rows(command, MeasuringOptions::isMeasuring);
    if (!measuring.isEmpty()) {
      section.append("\nMeasuring and debugging the GPU:\n\n| option | meaning |\n|---|---|\n");
      section.append(measuring);
    }
    String[] footer = command.usageMessage().footer();
    if (footer.length > 0) {
      section.append('\n');
      for (String sentence : footer) {
        section.append(sentence.isBlank() ? "" : prose(sentence) + "\n");
      }
    }
    return section.toString();
  }

  private static String rows(CommandSpec command, Predicate<OptionSpec> which) {
    var rows = new StringBuilder();
    for (OptionSpec option : command.options()) {
      if (!option.hidden() && which.test(option)) {
        String label = option.arity().max() == 0 ? "" : "=" + option.paramLabel();
        rows.append(row(name(option, command) + label, option.description()));
      }
    }
    return rows.toString();
  }

  /** The names of an option as the help shows them, such as {@code --[no-]transpose}. */
  private static String name(OptionSpec option, CommandSpec command) {
    if (option.negatable()) {
      return command
          .commandLine()
          .getNegatableOptionTransformer()
          .makeSynopsis(option.longestName(), command);
    }
    return Stream.of(option.names())
        .sorted(Comparator.comparingInt(String::length))
        .collect(Collectors.joining(", "));
  }

  private static String row(String name, String[] description) {
    return "| %s | %s |\n".formatted(code(name), cell(prose(String.join(" ", description))));
  }

  /**
   * A name as code. The site's Markdown would show the backslash that guards a bar in backticks.
   */
  private static String code(String name) {
    return name.contains("|")
        ? "<code>%s</code>".formatted(name.replace("|", "&#124;"))
        : "`%s`".formatted(name);
  }

  private static String cell(String text) {
    return text.replace("|", "\\|");
  }

  /** A text of the help as Markdown: options are code, and {@code <} begins no element. */
  private static String prose(String text) {
    String plain = Ansi.OFF.string(text.replace("%n", " ").replace("%%", "%")).strip();
    return OPTION.matcher(plain).replaceAll("`$0`").replace("<", "&lt;");
  }
}
