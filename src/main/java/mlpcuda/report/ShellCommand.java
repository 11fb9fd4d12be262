package mlpcuda.report;

import java.io.File;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Formats a command line as a Unix shell reads it, so that people can run it again. */
public final class ShellCommand {
  /** Matches words that every shell reads literally. */
  private static final Pattern PLAIN =
      Pattern.compile("[A-Za-z0-9_%+:,./@-][A-Za-z0-9_%+:,./@=-]*");

  private ShellCommand() {}

  /**
   * The line that runs the program with {@code args}.
   *
   * @param classPath the class path of the Java runtime: a jar alone means {@code java -jar}
   * @param args the arguments of the program, with @files expanded
   */
  public static String of(String classPath, List<String> args) {
    boolean jar = classPath.endsWith(".jar") && !classPath.contains(File.pathSeparator);
    String program = jar ? "java -jar " + quoted(classPath) : "mlp-cuda";
    return args.stream()
        // An argument that begins with @ would name a file of arguments: picocli unfolds @@ to @.
        .map(arg -> quoted(arg.startsWith("@") ? "@" + arg : arg))
        .collect(Collectors.joining(" ", program + " ", ""))
        .strip();
  }

  /** A word as a Unix shell reads it. */
  public static String quoted(String word) {
    return PLAIN.matcher(word).matches() ? word : "'" + word.replace("'", "'\\''") + "'";
  }
}
