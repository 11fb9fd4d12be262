package mlpcuda.cli;

import java.util.ArrayList;
import java.util.List;

/** The result of a comparison of a device with the reference. */
record Comparison(List<OperationCheck> operations, List<StepCheck> steps, List<SpeedUp> times) {
  /** The names of the results that are further from the reference than they may be. */
  List<String> wrong() {
    var wrong = new ArrayList<String>();
    operations.stream().filter(o -> !o.passed()).map(OperationCheck::operation).forEach(wrong::add);
    if (!steps.stream().allMatch(StepCheck::lossPassed)) {
      wrong.add("the loss in training");
    }
    if (!steps.stream().allMatch(StepCheck::weightsPassed)) {
      wrong.add("the weights in training");
    }
    if (!steps.stream().allMatch(StepCheck::momentsPassed)) {
      wrong.add("the optimizer's moments in training");
    }
    return wrong;
  }

  /** The number of steps whose weights and moments were compared with the reference's. */
  long judged() {
    return steps.stream().filter(StepCheck::judged).count();
  }

  /** Whether nothing is wrong, and a wrong result would have been noticed. */
  boolean agrees() {
    return wrong().isEmpty() && judged() > 0;
  }

  /** The end of the line that says what was found; it follows the name of the device. */
  String verdict() {
    if (agrees()) {
      return " agrees with the reference";
    }
    return wrong().isEmpty()
        ? ": the weights of no step could be judged; more --steps or a smaller --batch-size have"
            + " steps without a ReLU at 0"
        : " is WRONG, further from the reference than the limit: " + String.join(", ", wrong());
  }
}
