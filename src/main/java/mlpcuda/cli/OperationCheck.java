package mlpcuda.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import mlpcuda.compute.Ops;
import mlpcuda.conformance.Cases.Case;
import mlpcuda.conformance.Conformance;
import mlpcuda.conformance.Conformance.Result;
import mlpcuda.report.Tables;

/**
 * The comparison of an operation on a device with the reference, in all cases of the table.
 *
 * @param cases the number of cases
 * @param failed the number of cases whose error exceeds the limit
 * @param worst the failed case with the largest error, or, if none failed, the case with the
 *     largest error
 */
record OperationCheck(String operation, int cases, int failed, Result worst) {
  /** Runs the cases, and sums them up operation by operation. */
  static List<OperationCheck> run(Ops ops, Iterable<Case> cases) {
    var results = new LinkedHashMap<String, List<Result>>();
    for (Case one : cases) {
      results
          .computeIfAbsent(one.operation(), operation -> new ArrayList<>())
          .add(Conformance.check(ops, one));
    }
    return results.entrySet().stream().map(e -> of(e.getKey(), e.getValue())).toList();
  }

  private static OperationCheck of(String operation, List<Result> results) {
    List<Result> failed = results.stream().filter(result -> !result.passed()).toList();
    Result worst = null;
    for (Result result : failed.isEmpty() ? results : failed) {
      if (worst == null || Double.compare(result.error(), worst.error()) > 0) { // NaN is largest
        worst = result;
      }
    }
    return new OperationCheck(operation, results.size(), failed.size(), worst);
  }

  boolean passed() {
    return failed == 0;
  }

  Map<String, Object> json() {
    var json = new LinkedHashMap<String, Object>();
    json.put("operation", operation);
    json.put("cases", cases);
    json.put("failed", failed);
    json.put("error", Tables.number(worst.error()));
    json.put("limit", worst.tested().limit());
    json.put("sizes", worst.tested().sizes());
    json.put("output", worst.output());
    if (worst.damage() != null) {
      json.put("damage", worst.damage());
    }
    return json;
  }

  static final String HEADER =
      "%-20s %5s %9s %9s        %s".formatted("operation", "cases", "error", "limit", "worst at");

  @Override
  public String toString() {
    return "%-20s %5d %9.1e %9.1e  %-5s %s"
        .formatted(
            operation,
            cases,
            worst.error(),
            worst.tested().limit(),
            passed() ? "ok" : "WRONG",
            worst.damage() != null
                ? worst.tested().sizes() + ": " + worst.damage()
                : worst.tested().sizes())
        .stripTrailing();
  }
}
