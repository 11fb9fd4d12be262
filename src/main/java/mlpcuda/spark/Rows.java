package mlpcuda.spark;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import mlpcuda.spark.PartitionRows.LabelledRow;
import org.apache.spark.HashPartitioner;
import org.apache.spark.api.java.JavaPairRDD;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.function.Function2;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.BooleanType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.NumericType;
import org.apache.spark.sql.types.StructType;
import scala.Tuple2;

/**
 * The training rows of a data frame: their features, label, weight and whether they judge the
 * epochs.
 *
 * @param features the columns of the features
 * @param label the place of the label in a row
 * @param weight the place of the weight; -1: all rows count the same
 * @param held the place of the indicator of validation rows; -1: there are none
 * @param inputs the number of features, I
 * @param classes the number of classes, C
 */
record Rows(FeatureColumns features, int label, int weight, int held, int inputs, int classes)
    implements Serializable {
  /**
   * The rows of a data frame as {@link JavaBytes} of blocks, of which each task has a partition:
   * that of its number. The blocks of a partition come in any order.
   */
  static JavaRDD<byte[]> deal(Dataset<?> dataset, MlpClassifier of, Deal deal) {
    StructType schema = dataset.schema();
    String[] names = of.featureColumns(of.getFeaturesCol());
    FeatureColumns.of(schema, names); // checks the types
    List<String> columns = new ArrayList<>(Arrays.asList(names));
    columns.add(of.getLabelCol());
    numeric(schema, of.getLabelCol(), "labels");
    int weight = -1;
    if (of.isGiven(of.weightCol())) {
      weight = columns.size();
      columns.add(of.getWeightCol());
      numeric(schema, of.getWeightCol(), "weights");
    }
    int held = -1;
    if (of.isGiven(of.validationIndicatorCol())) {
      held = columns.size();
      String name = of.getValidationIndicatorCol();
      columns.add(name);
      if (!(ColumnPath.of(schema, name).type(schema) instanceof BooleanType)) {
        throw new IllegalArgumentException(
            name + ": the column that tells validation rows must be boolean");
      }
    }
    Dataset<Row> chosen =
        dataset
            .toDF()
            .select(
                columns.stream().map(functions::col).toArray(org.apache.spark.sql.Column[]::new));
    ColumnPath[] places = new ColumnPath[names.length];
    Arrays.setAll(places, ColumnPath::new);
    int[] layers = of.getLayers();
    var rows =
        new Rows(
            new FeatureColumns(names, places),
            names.length,
            weight,
            held,
            layers[0],
            layers[layers.length - 1]);
    JavaRDD<Tuple2<Integer, byte[]>> blocks =
        chosen.toJavaRDD().mapPartitionsWithIndex(new Reading(rows, deal), true);
    return JavaPairRDD.fromJavaRDD(blocks).partitionBy(new HashPartitioner(deal.tasks())).values();
  }

  private static void numeric(StructType schema, String name, String what) {
    DataType type = ColumnPath.of(schema, name).type(schema);
    if (!(type instanceof NumericType)) {
      throw new IllegalArgumentException(
          "%s: the column of the %s must be numeric, found %s"
              .formatted(name, what, type.simpleString()));
    }
  }

  /**
   * Says which tasks get a row.
   *
   * @param tasks the number of tasks
   * @param all whether each task gets all rows; otherwise they are dealt in turn, so that a data
   *     frame that is sorted by class gives each task all classes
   */
  record Deal(int tasks, boolean all) implements Serializable {}

  private int labelOf(Row row) {
    Object value = row.get(label);
    double number = value instanceof Number given ? given.doubleValue() : Double.NaN;
    if (!(number >= 0 && number < classes && number == (int) number)) {
      throw new BadRowException(
          "labels must be whole numbers from 0 to %d, one less than the last of layers, found %s"
              .formatted(classes - 1, value));
    }
    return (int) number;
  }

  private float weightOf(Row row) {
    if (weight < 0) {
      return 1;
    }
    Object value = row.get(weight);
    float number = value instanceof Number given ? given.floatValue() : Float.NaN;
    if (!(number >= 0) || !Float.isFinite(number)) {
      throw new BadRowException("weights must be finite and at least 0, found " + value);
    }
    return number;
  }

  private boolean isHeld(Row row) {
    return held >= 0 && !row.isNullAt(held) && row.getBoolean(held);
  }

  private Iterator<LabelledRow> read(Iterator<Row> rows) {
    return new Iterator<>() {
      @Override
      public boolean hasNext() {
        return rows.hasNext();
      }

      @Override
      public LabelledRow next() {
        Row row = rows.next();
        return new LabelledRow(
            features.read(row, inputs), labelOf(row), weightOf(row), isHeld(row));
      }
    };
  }

  /** Turns the rows of a partition into blocks for the tasks. */
  private record Reading(Rows rows, Deal deal)
      implements Function2<Integer, Iterator<Row>, Iterator<Tuple2<Integer, byte[]>>> {
    @Override
    public Iterator<Tuple2<Integer, byte[]>> call(Integer partition, Iterator<Row> read) {
      Iterator<LabelledRow> sorted = PartitionRows.sorted(rows.read(read), rows.inputs);
      return new Blocks(sorted, rows.inputs, deal, partition);
    }
  }

  private static final class Blocks implements Iterator<Tuple2<Integer, byte[]>> {
    private final Iterator<LabelledRow> rows;
    private final Deal deal;
    private final Block.Builder[] builders;
    private final List<Tuple2<Integer, byte[]>> ready = new ArrayList<>();
    private long order; // blocks of a partition are numbered, after those of the partitions before
    private long row;

    Blocks(Iterator<LabelledRow> rows, int inputs, Deal deal, int partition) {
      this.rows = rows;
      this.deal = deal;
      this.order = (long) partition << 32;
      this.row = partition; // many partitions of a few rows each must not all begin with task 0
      this.builders = new Block.Builder[deal.all ? 1 : deal.tasks];
      Arrays.setAll(builders, i -> new Block.Builder(inputs, builders.length));
    }

    @Override
    public boolean hasNext() {
      while (ready.isEmpty() && rows.hasNext()) {
        add(rows.next());
      }
      if (ready.isEmpty()) {
        for (int i = 0; i < builders.length; i++) {
          flush(i);
        }
      }
      return !ready.isEmpty();
    }

    private void add(LabelledRow next) {
      int to = (int) (row++ % builders.length);
      builders[to].add(next);
      if (builders[to].isFull()) {
        flush(to);
      }
    }

    private void flush(int builder) {
      if (builders[builder].isEmpty()) {
        return;
      }
      byte[] block = JavaBytes.of(builders[builder].take(order++));
      for (int task = 0; task < (deal.all ? deal.tasks : 1); task++) {
        ready.add(new Tuple2<>(deal.all ? task : builder, block));
      }
    }

    @Override
    public Tuple2<Integer, byte[]> next() {
      if (!hasNext()) {
        throw new NoSuchElementException();
      }
      return ready.remove(ready.size() - 1);
    }
  }
}
