package mlpcuda.compute;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import mlpcuda.conformance.Cases.Case;
import mlpcuda.conformance.Conformance;

/** Asserts that a device agrees with the reference, whose results are computed once. */
public final class Agreement {
  private static final Map<String, Map<String, double[]>> EXPECTED = new HashMap<>();

  private Agreement() {}

  /** Asserts that the device agrees with the reference and leaves nothing behind. */
  public static void check(Ops ops, Case c) {
    Map<String, double[]> expected =
        EXPECTED.computeIfAbsent(
            ops.precision() + " " + c.name(), name -> Conformance.expected(c, ops.precision()));
    Conformance.Result result = Conformance.check(ops, c, expected);
    assertTrue(result.passed(), () -> result + " on " + ops.description());
    assertEquals(0, ops.liveBytes(), "bytes not released");
  }

  /**
   * The cases that differ in more than the activation: each has one of its activations, in turn.
   * They are for a device whose activations are those of another one that runs all cases.
   */
  public static List<Case> withOneActivationEach(List<Case> cases) {
    var bySizes = new LinkedHashMap<String, List<Case>>();
    for (Case c : cases) {
      String sizes = c.name().replaceFirst("(NONE|RELU|SIGMOID|TANH|LECUN_TANH)$", "");
      bySizes.computeIfAbsent(sizes, name -> new ArrayList<>()).add(c);
    }
    var chosen = new ArrayList<Case>();
    for (List<Case> same : bySizes.values()) {
      chosen.add(same.get(chosen.size() % same.size()));
    }
    return chosen;
  }
}
