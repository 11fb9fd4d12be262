package mlpcuda.serve;

import com.fasterxml.jackson.jr.ob.JSON;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import mlpcuda.compute.Ops;
import mlpcuda.data.Column;
import mlpcuda.data.Layout;
import mlpcuda.net.MlpShape;
import mlpcuda.preparation.NumberForm;
import mlpcuda.train.AveragedPredictor;

/**
 * Answers the rows of requests by a network of rows of numbers. A request has {@code {"features":
 * [47, "car"]}}, the values of all columns in their order, or {@code {"features": {"age": 47,
 * "purpose": "car"}}}. Only the thread that opened the device may use it.
 *
 * @param predictor runs the network on one row at a time
 * @param form the form of the rows that the network takes
 * @param name the name of the network's file
 */
public record RowRecogniser(
    Ops ops, MlpShape shape, AveragedPredictor predictor, NumberForm form, String name)
    implements Responder {
  private static final String FEATURES = "features";

  @Override
  public String page() {
    return "rows.html";
  }

  @Override
  public byte[] description() {
    Map<String, Object> json = Recogniser.description(name, shape, form.labels());
    json.put("columns", columns().stream().map(RowRecogniser::described).toList());
    json.put("device", ops.description());
    return Recogniser.bytes(json);
  }

  private static Map<String, Object> described(Column column) {
    var json = new LinkedHashMap<String, Object>();
    json.put("name", column.name());
    if (!column.words().isEmpty()) {
      json.put("words", column.words());
    }
    json.put("optional", !Float.isNaN(column.missing()));
    return json;
  }

  /** The columns of a row; the pixels of an image of floats are columns named by their numbers. */
  private List<Column> columns() {
    return form.layout() instanceof Layout.Columns table
        ? table.columns()
        : Layout.Columns.numbered(form.layout().inputs()).columns();
  }

  /**
   * Answers a row as JSON.
   *
   * @param body the request's JSON
   * @param raw what only a picture may ask for
   * @throws RefusedException if the body is not a row of the network's columns
   */
  @Override
  public byte[] answer(byte[] body, boolean raw) throws RefusedException {
    if (raw) {
      throw new RefusedException(400, "raw=true is for pictures, and this network takes numbers");
    }
    float[] logs = predictor.logProbabilities(inputs(values(features(body))))[0];
    return Recogniser.bytes(Recogniser.answer(logs, form.labels()));
  }

  private static Object features(byte[] body) throws RefusedException {
    Map<String, Object> json;
    try {
      json = JSON.std.mapFrom(body);
    } catch (IOException e) {
      throw new RefusedException(400, "the body must be JSON of {\"features\": […]}");
    }
    if (json == null || !json.keySet().equals(Set.of(FEATURES))) {
      throw new RefusedException(400, "the body must have the one field features");
    }
    return json.get(FEATURES);
  }

  /** The value of each column, in their order. */
  private List<?> values(Object features) throws RefusedException {
    List<Column> columns = columns();
    if (features instanceof List<?> list) {
      if (list.size() != columns.size()) {
        throw new RefusedException(
            422,
            "features must have a value for each of the %d columns, found %d"
                .formatted(columns.size(), list.size()));
      }
      return list;
    }
    if (!(features instanceof Map<?, ?> named)) {
      throw new RefusedException(
          400, "features must be an array of values, or an object with a value for each column");
    }
    var values = new ArrayList<Object>();
    for (Column column : columns) {
      values.add(named.get(column.name())); // a column that is not there has a missing value
    }
    for (Object key : named.keySet()) {
      if (columns.stream().noneMatch(column -> column.name().equals(key))) {
        throw new RefusedException(
            422, "the network has no column " + Routes.quote(key.toString()));
      }
    }
    return values;
  }

  private float[] inputs(List<?> values) throws RefusedException {
    float[] inputs = new float[form.layout().inputs()];
    int at = 0;
    List<Column> columns = columns();
    for (int i = 0; i < columns.size(); i++) {
      Column column = columns.get(i);
      Object value = values.get(i);
      if (column.words().isEmpty()) {
        inputs[at] = number(column, value);
      } else {
        inputs[at + word(column, value)] = 1;
      }
      at += column.inputs();
    }
    return inputs;
  }

  private static float number(Column column, Object value) throws RefusedException {
    if (value == null && !Float.isNaN(column.missing())) {
      return column.missing();
    }
    float number = value instanceof Number found ? found.floatValue() : Float.NaN;
    if (!Float.isFinite(number)) {
      throw new RefusedException(
          422,
          "the column %s must be a finite number, found %s"
              .formatted(Routes.quote(column.name()), Routes.quote(String.valueOf(value))));
    }
    return number;
  }

  private static int word(Column column, Object value) throws RefusedException {
    int index = column.words().indexOf(value == null ? "" : value.toString());
    if (index < 0) {
      throw new RefusedException(
          422,
          "the column %s must be one of its %d words, found %s"
              .formatted(
                  Routes.quote(column.name()),
                  column.words().size(),
                  Routes.quote(String.valueOf(value))));
    }
    return index;
  }
}
