package mlpcuda.spark;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import mlpcuda.ExamplesBuilder;
import mlpcuda.Prediction;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.ml.linalg.Vector;
import org.apache.spark.ml.linalg.Vectors;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.util.TaskCompletionListener;

/**
 * Appends predictions to the rows of a partition, batch by batch. The rows stay in their executor,
 * whose tasks share the network on one device.
 *
 * @param file the network
 * @param device the device that answers
 * @param inputs the number of features of a row
 * @param features the columns of the features
 * @param outputs what is appended
 */
record Scoring(
    Broadcast<ModelBytes> file,
    DeviceChoice device,
    int inputs,
    FeatureColumns features,
    Outputs outputs)
    implements MapPartitionsFunction<Row, Row> {
  /** The rows that the device answers at once, or fewer of many features. */
  private static final int BATCH = 1024;

  /** The most features of a batch. */
  private static final int MOST = 4 << 20;

  /**
   * The columns that are appended, in this order.
   *
   * @param raw whether the logarithms of the probabilities are
   * @param probability whether the probabilities are
   * @param prediction whether the class is
   * @param thresholds (C), by which each probability is divided before the largest is taken; empty:
   *     none
   */
  record Outputs(boolean raw, boolean probability, boolean prediction, double[] thresholds)
      implements Serializable {
    int count() {
      return (raw ? 1 : 0) + (probability ? 1 : 0) + (prediction ? 1 : 0);
    }

    Row append(Row row, double[] probabilities) {
      Object[] values = new Object[row.size() + count()];
      for (int i = 0; i < row.size(); i++) {
        values[i] = row.get(i);
      }
      int at = row.size();
      if (raw) {
        values[at++] = logarithms(probabilities);
      }
      if (probability) {
        values[at++] = Vectors.dense(probabilities);
      }
      if (prediction) {
        values[at] = (double) best(probabilities);
      }
      return RowFactory.create(values);
    }

    /** The class whose probability is the largest, after its division by the threshold. */
    private int best(double[] probabilities) {
      int best = 0;
      double most = Double.NEGATIVE_INFINITY;
      for (int c = 0; c < probabilities.length; c++) {
        double scaled = probabilities[c];
        if (thresholds.length > 0) {
          scaled = thresholds[c] == 0 ? Double.POSITIVE_INFINITY : scaled / thresholds[c];
        }
        if (scaled > most) {
          most = scaled;
          best = c;
        }
      }
      return best;
    }
  }

  /** The raw predictions of Spark: numbers whose softmax is the probabilities. */
  static Vector logarithms(double[] probabilities) {
    // A probability that is too small for a double has the logarithm of the smallest one.
    return Vectors.dense(
        Arrays.stream(probabilities).map(p -> Math.log(Math.max(p, Double.MIN_VALUE))).toArray());
  }

  /** The answers of a network to rows of features. */
  static List<Prediction> answers(mlpcuda.Model model, List<float[]> rows) {
    try (ExamplesBuilder examples = ExamplesBuilder.of(model.network())) {
      rows.forEach(row -> examples.add(row, 0)); // a prediction does not look at labels
      return model.predictAll(examples.build());
    } catch (IllegalArgumentException e) {
      throw BadRowException.of(e);
    }
  }

  @Override
  public Iterator<Row> call(Iterator<Row> rows) {
    if (!rows.hasNext()) {
      return Collections.emptyIterator();
    }
    ExecutorModels.Lease lease = ExecutorModels.lease(file.value(), device);
    TaskCompletionListener close = task -> lease.close();
    TaskContext.get().addTaskCompletionListener(close);
    return new Batches(rows, lease.model());
  }

  private final class Batches implements Iterator<Row> {
    private final Iterator<Row> rows;
    private final mlpcuda.Model model;
    private final int most = Math.max(1, Math.min(BATCH, MOST / inputs));
    private Iterator<Row> answered = Collections.emptyIterator();

    Batches(Iterator<Row> rows, mlpcuda.Model model) {
      this.rows = rows;
      this.model = model;
    }

    @Override
    public boolean hasNext() {
      return answered.hasNext() || rows.hasNext();
    }

    @Override
    public Row next() {
      if (!hasNext()) {
        throw new NoSuchElementException();
      }
      if (!answered.hasNext()) {
        answered = answer().iterator();
      }
      return answered.next();
    }

    private List<Row> answer() {
      List<Row> batch = new ArrayList<>();
      List<float[]> values = new ArrayList<>();
      while (rows.hasNext() && batch.size() < most) {
        Row row = rows.next();
        batch.add(row);
        values.add(features.read(row, inputs));
      }
      List<Prediction> answers = answers(model, values);
      for (int r = 0; r < batch.size(); r++) {
        batch.set(r, outputs.append(batch.get(r), answers.get(r).probabilities()));
      }
      return batch;
    }
  }
}
