package mlpcuda.report;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.Map;
import mlpcuda.train.Calibration;
import mlpcuda.train.Importance;

/** Converts what was found out about a network's answers, beside their score, to JSON objects. */
public final class ResultJson {
  private ResultJson() {}

  /** Converts a calibration to JSON objects; an empty bin has neither confidence nor accuracy. */
  public static Map<String, Object> of(Calibration calibration) {
    int count = calibration.bins().size();
    var bins = new ArrayList<Map<String, Object>>();
    for (int k = 0; k < count; k++) {
      Calibration.Bin bin = calibration.bins().get(k);
      var json = new LinkedHashMap<String, Object>();
      json.put("from", (double) k / count);
      json.put("to", (double) (k + 1) / count);
      json.put("count", bin.count());
      json.put("right", bin.right());
      json.put("confidence", Tables.number(bin.confidence()));
      json.put("accuracy", Tables.number(bin.accuracy()));
      bins.add(json);
    }
    var json = new LinkedHashMap<String, Object>();
    json.put("ece", Tables.number(calibration.error()));
    json.put("bins", bins);
    return json;
  }

  /** Converts the importance of columns to JSON objects, the most important column first. */
  public static Map<String, Object> of(Importance importance) {
    var columns = new ArrayList<Map<String, Object>>();
    for (Importance.OfColumn of : importance.columns()) {
      var json = new LinkedHashMap<String, Object>();
      json.put("column", of.column());
      json.put("accuracy_drop", Tables.number(of.accuracyDrop().mean()));
      json.put("accuracy_drop_deviation", Tables.number(of.accuracyDrop().deviation()));
      json.put("loss_rise", Tables.number(of.lossRise().mean()));
      json.put("loss_rise_deviation", Tables.number(of.lossRise().deviation()));
      columns.add(json);
    }
    var json = new LinkedHashMap<String, Object>();
    json.put("repetitions", Importance.REPETITIONS);
    json.put("columns", columns);
    return json;
  }
}
