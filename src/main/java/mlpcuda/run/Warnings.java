package mlpcuda.run;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.IntStream;
import mlpcuda.compute.Activation;
import mlpcuda.data.ExampleSet;
import mlpcuda.files.OneLine;
import mlpcuda.net.MlpShape;
import mlpcuda.train.Score;

/** Sentences on what is probably wrong with examples or training that raised no error. */
public final class Warnings {
  private static final int NAMED = 10; // classes or ranges of them in one sentence
  private static final int LONGEST_NAME = 30; // characters of a class's name
  private static final int RANGE = 3; // consecutive classes from which on only two are named

  /**
   * The multiple of guessing's loss beyond which training has gone astray: a network that learns
   * begins near the loss of guessing.
   */
  private static final double ASTRAY = 2;

  private Warnings() {}

  /**
   * Warns of classes without a training example.
   *
   * @param labels the names of the classes; empty where they have none but their numbers
   */
  public static Optional<String> ofLabels(
      ExampleSet train, ExampleSet test, int classes, List<String> labels) {
    int[] examples = examples(train, classes);
    List<Integer> missing =
        IntStream.range(0, classes).filter(c -> examples[c] == 0).boxed().toList();
    if (missing.isEmpty()) {
      return Optional.empty();
    }
    if (labels.isEmpty() && missing.equals(List.of(0)) && examples(test, classes)[0] == 0) {
      return Optional.of(
          "No example has the label 0: the labels probably start at 1. If so, nothing is wrong: the"
              + " network has an output for a class 0 that it never answers.");
    }
    return Optional.of(
        missing.size() == 1
            ? "Class %s has no training example: the network cannot learn it."
                .formatted(named(missing, labels))
            : "Classes %s have no training examples: the network cannot learn them."
                .formatted(named(missing, labels)));
  }

  private static int[] examples(ExampleSet set, int classes) {
    int[] examples = new int[classes];
    for (byte label : set.labels()) {
      int c = Byte.toUnsignedInt(label);
      if (c < classes) {
        examples[c]++;
      }
    }
    return examples;
  }

  /**
   * Warns of a loss far above that of guessing, in the last epoch and on the test set: one of them
   * alone may be due to a start from afar, or to unlike test images.
   *
   * @param rate the learning rate that the schedule multiplies
   */
  public static Optional<String> ofLoss(double last, Score tested, double rate) {
    double guessing = Math.log(tested.classes());
    if (tested.classes() < 2 || last <= ASTRAY * guessing || tested.loss() <= guessing) {
      return Optional.empty();
    }
    return Optional.of(
        String.format(
            Locale.ROOT,
            "The mean loss of the last epoch is %s, where guessing has %.2f: training has gone"
                + " astray. The learning rate, %s, is probably too high; 'mlp-cuda lr-find'"
                + " suggests one.",
            last < 1000 ? "%.2f".formatted(last) : "%.1e".formatted(last),
            guessing,
            new BigDecimal(Double.toString(rate)).stripTrailingZeros().toPlainString()));
  }

  /**
   * Warns of classes that the network never answers, though the test set has examples of them.
   *
   * @param labels the names of the classes; empty where they have none but their numbers
   * @param astray whether it is known already that training has gone astray
   * @param train the examples that the network learnt from; null: they are not known
   */
  public static Optional<String> ofAnswers(
      Score tested, MlpShape shape, List<String> labels, boolean astray, ExampleSet train) {
    int C = tested.classes();
    var never = new ArrayList<Integer>();
    var answered = new ArrayList<Integer>();
    for (int c = 0; c < C; c++) {
      long answers = 0;
      for (long[] row : tested.confusion()) {
        answers += row[c];
      }
      if (answers > 0) {
        answered.add(c);
      } else if (tested.support(c) > 0) {
        never.add(c);
      }
    }
    if (never.isEmpty()) {
      return Optional.empty();
    }
    String what;
    if (answered.size() == 1) {
      what =
          labels.isEmpty()
              ? "The network answers %d to every test image.".formatted(answered.get(0))
              : "The network answers %s to every test example.".formatted(named(answered, labels));
    } else if (never.size() == 1) {
      what =
          "The network never answers %s, though the test set has it."
              .formatted(named(never, labels));
    } else {
      what =
          "The network never answers %s, though the test set has them."
              .formatted(named(never, labels));
    }
    return Optional.of(what + " " + cause(never, shape, astray, train));
  }

  private static String cause(
      List<Integer> never, MlpShape shape, boolean astray, ExampleSet train) {
    if (train != null) {
      int[] examples = examples(train, shape.classes());
      if (never.stream().allMatch(c -> examples[c] == 0)) {
        return never.size() == 1 ? "It had no training example." : "They had no training examples.";
      }
    }
    if (astray) {
      return "The cause is that training has gone astray.";
    }
    return shape.output() == Activation.RELU
        ? "Its output has a ReLU, and a unit there that gives 0 to every image gets no gradient and"
            + " has died: another seed, a lower learning rate or an output without ReLU may help."
        : "It was probably trained too short, at too high a learning rate, or on too few examples.";
  }

  /**
   * Lists classes in words: by their names, or by their numbers, consecutive ones by the first and
   * the last: {@code 1, 3 and 5 to 9}.
   */
  private static String named(List<Integer> classes, List<String> labels) {
    return listed(
        labels.isEmpty()
            ? ranges(classes)
            : classes.stream().map(c -> OneLine.start(labels.get(c), LONGEST_NAME)).toList());
  }

  private static List<String> ranges(List<Integer> numbers) {
    var names = new ArrayList<String>();
    for (int i = 0; i < numbers.size(); ) {
      int end = i + 1;
      while (end < numbers.size() && numbers.get(end) == numbers.get(end - 1) + 1) {
        end++;
      }
      int length = end - i;
      if (length >= RANGE) {
        names.add(numbers.get(i) + " to " + numbers.get(end - 1));
      } else {
        numbers.subList(i, end).forEach(number -> names.add(number.toString()));
      }
      i = end;
    }
    return names;
  }

  private static String listed(List<String> all) {
    var names = new ArrayList<>(all);
    if (names.size() > NAMED) {
      names.subList(NAMED, names.size()).clear();
      names.add("others");
    }
    int last = names.size() - 1;
    return last == 0
        ? names.get(0)
        : String.join(", ", names.subList(0, last)) + " and " + names.get(last);
  }
}
