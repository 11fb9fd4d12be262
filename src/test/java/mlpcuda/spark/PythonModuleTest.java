package mlpcuda.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.spark.ml.classification.MultilayerPerceptronClassifier;
import org.apache.spark.ml.param.BooleanParam;
import org.apache.spark.ml.param.DoubleParam;
import org.apache.spark.ml.param.IntArrayParam;
import org.apache.spark.ml.param.IntParam;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.param.StringArrayParam;
import org.junit.jupiter.api.Test;

/** Tests that the parameters of PySpark's module are those of the estimator, with no Python. */
class PythonModuleTest {
  private static final Path MODULE = Path.of("src/main/resources/mlpcuda/spark.py");

  /** A parameter of the module: name, converter, default and the literals of its documentation. */
  private static final Pattern PARAM =
      Pattern.compile(
          "\\(\"(\\w+)\", TypeConverters\\.(\\w+), ([^\\n]+),\\n((?:\\s+\"[^\\n]*\"\\n?)+)\\),");

  private static final Pattern LITERAL = Pattern.compile("\"(.*)\"");
  private static final Pattern DEFAULTS = Pattern.compile("_DEFAULTS = \\{([^}]*)}");

  private final MlpClassifier classifier = new MlpClassifier();

  @Test
  void parametersAreThoseOfTheEstimator() throws IOException {
    Map<String, String> ours = new TreeMap<>();
    for (Method method : MlpParams.class.getMethods()) {
      if (Param.class.isAssignableFrom(method.getReturnType())
          && method.getDeclaringClass() == MlpParams.class) {
        Param<?> param = classifier.getParam(method.getName());
        ours.put(param.name(), converter(param) + ", " + usual(param) + ", " + param.doc());
      }
    }
    Map<String, String> theirs =
        PARAM
            .matcher(Files.readString(MODULE))
            .results()
            .collect(
                Collectors.toMap(
                    found -> found.group(1),
                    found -> found.group(2) + ", " + found.group(3) + ", " + text(found.group(4)),
                    (one, other) -> one + " and " + other,
                    TreeMap::new));
    assertEquals(lines(ours), lines(theirs));
  }

  /** Python's class takes Spark's defaults from the class that it extends. */
  @Test
  void defaultsThatDifferFromSparksAreSet() throws IOException {
    var sparks = new MultilayerPerceptronClassifier();
    Map<String, Double> ours = new TreeMap<>();
    for (Param<?> param : sparks.params()) {
      Param<Object> our = classifier.getParam(param.name());
      if (sparks.hasDefault(param)
          && !sparks.getDefault(param).equals(classifier.getDefault(our))
          && !param.name().equals("seed")) { // Spark takes the hash of the class's name
        ours.put(param.name(), Double.valueOf(usual(our)));
      }
    }
    MatchResult defaults =
        DEFAULTS.matcher(Files.readString(MODULE)).results().findFirst().orElseThrow();
    Map<String, Double> theirs = new TreeMap<>();
    for (String pair : defaults.group(1).split(", ")) {
      String[] parts = pair.split(": ");
      theirs.put(parts[0].replace("\"", ""), Double.valueOf(parts[1]));
    }
    assertEquals(ours, theirs);
  }

  private static String lines(Map<String, String> map) {
    return map.entrySet().stream().map(Object::toString).collect(Collectors.joining("\n"));
  }

  private static String text(String literals) {
    return LITERAL
        .matcher(literals)
        .results()
        .map(found -> found.group(1))
        .collect(Collectors.joining());
  }

  private static String converter(Param<?> param) {
    if (param instanceof IntParam) {
      return "toInt";
    } else if (param instanceof DoubleParam) {
      return "toFloat";
    } else if (param instanceof BooleanParam) {
      return "toBoolean";
    } else if (param instanceof IntArrayParam) {
      return "toListInt";
    } else if (param instanceof StringArrayParam) {
      return "toListString";
    }
    return "toString";
  }

  /** The default as Python writes it. */
  private String usual(Param<?> param) {
    if (!classifier.hasDefault(param)) {
      return "_NO_DEFAULT";
    }
    Object value = classifier.getDefault(param).get();
    if (value instanceof String) {
      return '"' + value.toString() + '"';
    } else if (value instanceof Boolean yes) {
      return yes ? "True" : "False";
    }
    return value.toString();
  }
}
