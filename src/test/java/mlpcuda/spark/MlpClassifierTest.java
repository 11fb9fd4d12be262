package mlpcuda.spark;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import javax.imageio.ImageIO;
import mlpcuda.Adam;
import mlpcuda.Device;
import mlpcuda.Model;
import mlpcuda.Network;
import mlpcuda.Reading;
import mlpcuda.Training;
import mlpcuda.input.InputFiles;
import org.apache.spark.ml.Pipeline;
import org.apache.spark.ml.PipelineModel;
import org.apache.spark.ml.PipelineStage;
import org.apache.spark.ml.classification.MultilayerPerceptronClassificationModel;
import org.apache.spark.ml.classification.OneVsRest;
import org.apache.spark.ml.classification.OneVsRestModel;
import org.apache.spark.ml.evaluation.MulticlassClassificationEvaluator;
import org.apache.spark.ml.feature.StringIndexer;
import org.apache.spark.ml.linalg.SQLDataTypes;
import org.apache.spark.ml.linalg.Vector;
import org.apache.spark.ml.linalg.Vectors;
import org.apache.spark.ml.param.ParamMap;
import org.apache.spark.ml.tuning.CrossValidator;
import org.apache.spark.ml.tuning.CrossValidatorModel;
import org.apache.spark.ml.tuning.ParamGridBuilder;
import org.apache.spark.ml.tuning.TrainValidationSplit;
import org.apache.spark.ml.tuning.TrainValidationSplitModel;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.api.java.UDF1;
import org.apache.spark.sql.expressions.UserDefinedFunction;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.streaming.StreamingQuery;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests the estimator and its model with Spark in this JVM. */
class MlpClassifierTest {
  private static SparkSession spark;
  private static Dataset<Row> points;

  @TempDir Path folder;

  @BeforeAll
  static void start() {
    spark = Spark.local(2);
    points = Spark.points(spark, 300, 3);
  }

  @AfterAll
  static void stop() {
    spark.stop();
  }

  static MlpClassifier classifier() {
    return new MlpClassifier()
        .setLayers(new int[] {2, 8, 3})
        .setMaxIter(30)
        .setBlockSize(16)
        .setStepSize(0.01)
        .setSeed(1)
        .setThreads(1)
        .setDevice("cpu");
  }

  private static MulticlassClassificationEvaluator evaluator() {
    return new MulticlassClassificationEvaluator().setMetricName("accuracy");
  }

  static double accuracy(Dataset<Row> predictions) {
    return evaluator().evaluate(predictions);
  }

  @Test
  void learnsAndPredicts() {
    MlpClassificationModel model = classifier().fit(points);
    Dataset<Row> predictions = model.transform(points);
    assertEquals(
        List.of("label", "features", "rawPrediction", "probability", "prediction"),
        List.of(predictions.columns()));
    assertTrue(accuracy(predictions) > 0.95, "accuracy " + accuracy(predictions));
    assertEquals(30, model.summary().objectiveHistory().length);
    double[] losses = model.summary().objectiveHistory();
    assertTrue(losses[29] < losses[0] / 2);
    Row row = predictions.first();
    assertEquals(row.getDouble(4), model.predict(row.<Vector>getAs("features")));
    assertArrayEquals(
        row.<Vector>getAs("probability").toArray(),
        model.predictProbability(row.<Vector>getAs("features")).toArray(),
        1e-6);
  }

  @Test
  void theSameSeedGivesTheSameBytes() {
    byte[] first = bytes(classifier().fit(points));
    assertArrayEquals(first, bytes(classifier().fit(points)));
  }

  private byte[] bytes(MlpClassificationModel model) {
    return ModelBytes.of(model.network()).bytes();
  }

  /**
   * Spark's own model with our weights gives our probabilities, so that the weights are Spark's.
   */
  @Test
  void weightsAreThoseOfSparksModel() {
    MlpClassificationModel model = classifier().setActivation("sigmoid").fit(points);
    var sparks = new MultilayerPerceptronClassificationModel("sparks", model.weights());
    sparks.set("layers", new int[] {2, 8, 3});
    List<Row> ours = model.transform(points).collectAsList();
    List<Row> theirs = sparks.transform(points).collectAsList();
    for (int i = 0; i < ours.size(); i++) {
      assertArrayEquals(
          theirs.get(i).<Vector>getAs("probability").toArray(),
          ours.get(i).<Vector>getAs("probability").toArray(),
          1e-4);
    }
  }

  @Test
  void aPipelineIsSavedAndLoaded() throws Exception {
    PipelineModel fitted = new Pipeline().setStages(new PipelineStage[] {classifier()}).fit(points);
    String path = folder.resolve("pipeline").toString();
    fitted.save(path);
    PipelineModel loaded = PipelineModel.load(path);
    assertEquals(
        fitted.transform(points).collectAsList(), loaded.transform(points).collectAsList());
  }

  @Test
  void theProgramReadsTheModelsFileAndBack() throws Exception {
    MlpClassificationModel model = classifier().setActivation("tanh").fit(points);
    Path saved = folder.resolve("model.safetensors"); // a folder that is named as a file
    model.save(saved.toString());
    assertArrayEquals(bytes(model), bytes(MlpClassificationModel.load(saved.toString())));
    Path file = saved.resolve(MlpClassificationModel.FILE);
    Row row = points.first();
    Vector features = row.getAs("features");
    float[] values = {(float) features.apply(0), (float) features.apply(1)};
    try (Device device = Device.cpu(1);
        Model loaded = Network.load(file).on(device)) {
      assertEquals(model.predict(features), loaded.predict(values).index());
    }
    MlpClassificationModel back = MlpClassificationModel.load(file.toString());
    assertEquals("tanh", back.getOrDefault(back.activation()));
    assertEquals(
        model.transform(points).select("probability").collectAsList(),
        back.transform(points).select("probability").collectAsList());
  }

  /** A network of a table's named columns, and one of colour images, answer rows of Spark. */
  @Test
  void networksThatWereTrainedElsewhereAnswer() throws Exception {
    Path table = folder.resolve("flowers.csv");
    var lines = new StringBuilder("width,colour,species\n");
    for (int i = 0; i < 60; i++) {
      lines.append(i % 2 + 0.01 * i).append(i % 3 == 0 ? ",red," : ",blue,");
      lines.append(i % 2 == 0 ? "daisy\n" : "rose\n");
    }
    Files.writeString(table, lines);
    assertEquals(
        List.of(0.0, 1.0),
        answers(mlpcuda.Dataset.read(table), Vectors.dense(0.1, 1, 0), Vectors.dense(1.4, 0, 1)));
    double[] red = {255, 0, 0, 255, 0, 0, 255, 0, 0, 255, 0, 0};
    double[] blue = {0, 0, 255, 0, 0, 255, 0, 0, 255, 0, 0, 255};
    for (int i = 0; i < 20; i++) {
      var picture = new BufferedImage(2, 2, BufferedImage.TYPE_INT_RGB);
      for (int pixel = 0; pixel < 4; pixel++) {
        picture.setRGB(pixel / 2, pixel % 2, i % 2 == 0 ? 0xff0000 : 0xff);
      }
      Path kind = Files.createDirectories(folder.resolve("pictures/" + (i % 2)));
      ImageIO.write(picture, "png", kind.resolve(i + ".png").toFile());
    }
    mlpcuda.Dataset pictures =
        mlpcuda.Dataset.read(folder.resolve("pictures"), Reading.DEFAULT.colour());
    assertEquals(List.of(0.0, 1.0), answers(pictures, Vectors.dense(red), Vectors.dense(blue)));
    ByteBuffer values = ByteBuffer.allocate(20 * 8).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < 20; i++) {
      values.putFloat(i % 2 == 0 ? 0.75f : 0.25f).putFloat(i % 2 == 0 ? 0.25f : 0.75f);
    }
    Path arrays = Files.createDirectories(folder.resolve("arrays"));
    byte[] images = InputFiles.npy(InputFiles.header("<f4", "(20, 1, 2)"), values.array());
    Files.write(arrays.resolve("x_train.npy"), images);
    byte[] labels = new byte[20];
    for (int i = 1; i < 20; i += 2) {
      labels[i] = 1;
    }
    Files.write(
        arrays.resolve("y_train.npy"), InputFiles.npy(InputFiles.header("|u1", "(20,)"), labels));
    assertEquals(
        List.of(0.0, 1.0),
        answers(
            mlpcuda.Dataset.read(arrays), Vectors.dense(0.75, 0.25), Vectors.dense(0.25, 0.75)));
  }

  /** What a network answers in Spark that the library trained. */
  private static List<Double> answers(mlpcuda.Dataset dataset, Vector... features) {
    Network network;
    try (Device device = Device.cpu(1)) {
      network =
          Training.of(Network.relu(features[0].size(), 8, 2))
              .epochs(20)
              .batchSize(8)
              .optimizer(Adam.rate(0.05))
              .fit(dataset, device)
              .network();
    }
    List<Row> rows = Arrays.stream(features).map(row -> RowFactory.create(0.0, row)).toList();
    return MlpClassificationModel.of(network)
        .transform(spark.createDataFrame(rows, Spark.VECTORS))
        .collectAsList()
        .stream()
        .map(row -> row.<Double>getAs("prediction"))
        .toList();
  }

  /** Columns keep metadata, such as the categories of an index, and text keeps its collation. */
  @Test
  void theSchemaIsTheOneThatWasPromised() {
    Dataset<Row> rows =
        points
            .withColumn("text", functions.expr("cast('a' as string collate UNICODE_CI)"))
            .withColumn("kind", functions.col("label"));
    Dataset<Row> indexed =
        new StringIndexer().setInputCol("kind").setOutputCol("index").fit(rows).transform(rows);
    MlpClassificationModel model = classifier().setMaxIter(1).fit(indexed);
    StructType promised = model.transformSchema(indexed.schema());
    Dataset<Row> answers = model.transform(indexed);
    for (StructField field : promised.fields()) { // Spark's own models have another order, too
      assertEquals(field, answers.schema().apply(field.name()));
      assertEquals(field.metadata(), answers.schema().apply(field.name()).metadata());
    }
    assertTrue(answers.schema().apply("index").metadata().contains("ml_attr"));
    assertEquals(300, answers.where("text = 'A' and prediction >= 0").count());
  }

  /** Spark refuses to aggregate a stream in this way unless its column of times has a watermark. */
  @Test
  void aStreamKeepsItsWatermark() throws Exception {
    Dataset<Row> stream =
        spark
            .readStream()
            .format("rate")
            .option("rowsPerSecond", 100)
            .load()
            .withColumn("features", functions.expr("array(cast(value as double), 1.0)"))
            .withWatermark("timestamp", "1 second");
    StreamingQuery query =
        classifier()
            .setMaxIter(1)
            .fit(points)
            .transform(stream)
            .groupBy(
                functions.window(functions.col("timestamp"), "1 second"),
                functions.col("prediction"))
            .count()
            .writeStream()
            .outputMode("append")
            .format("noop")
            .start();
    try {
      while (query.recentProgress().length == 0 || query.lastProgress().numInputRows() == 0) {
        assertFalse(query.awaitTermination(10), "the stream must not end");
      }
    } finally {
      query.stop();
    }
  }

  @Test
  void columnsAreNamedAsSparkNamesThem() {
    Dataset<Row> rows =
        points
            .withColumn("inner", functions.struct("features", "label"))
            .withColumnRenamed("features", "a.b");
    byte[] expected = bytes(classifier().setMaxIter(2).fit(points));
    for (String name : List.of("inner.features", "`a.b`", "INNER.Features")) {
      MlpClassificationModel model = classifier().setMaxIter(2).setFeaturesCol(name).fit(rows);
      assertArrayEquals(expected, bytes(model), name);
      assertEquals(300, model.transform(rows).where("prediction >= 0").count(), name);
    }
    assertEquals(
        "inner.x: there is no such column, but there are label, a.b, inner",
        assertThrows(
                IllegalArgumentException.class,
                () -> classifier().setFeaturesCol("inner.x").fit(rows))
            .getMessage());
  }

  /** Rows of weight 0 do not count, be it in the loss, in the summary or in an evaluation. */
  @Test
  void weightsCountEverywhere() {
    Dataset<Row> weighted =
        points
            .withColumn("weight", functions.expr("if(label = 2, 0.0, 1.0)"))
            .withColumn("none", functions.lit(false));
    MlpClassifier classifier =
        classifier().setWeightCol("weight").setPredictionCol("").setValidationIndicatorCol("");
    MlpClassificationModel model = classifier.fit(weighted);
    assertTrue(model.summary().accuracy() > 0.9, "accuracy " + model.summary().accuracy());
    assertEquals(model.summary().accuracy(), model.evaluate(weighted).accuracy());
    assertTrue(model.evaluate(points).accuracy() < 0.7, "without weights all classes count");
    OneVsRestModel several =
        new OneVsRest()
            .setClassifier(classifier().setLayers(new int[] {2, 8, 2}))
            .setWeightCol("weight")
            .fit(weighted);
    assertEquals(0, several.transform(weighted).where("prediction = 2").count());
  }

  /** Columns of numbers, arrays and sparse vectors are other forms of the same features. */
  @Test
  void featuresHaveManyForms() {
    UserDefinedFunction sparse =
        functions.udf((UDF1<Vector, Vector>) Vector::toSparse, SQLDataTypes.VectorType());
    Dataset<Row> forms =
        points
            .withColumn(
                "array",
                org.apache.spark.ml.functions.vector_to_array(points.col("features"), "float64"))
            .withColumn("sparse", sparse.apply(points.col("features")))
            .withColumn("x", functions.col("array").getItem(0))
            .withColumn("y", functions.col("array").getItem(1))
            .cache();
    byte[] expected = bytes(classifier().setMaxIter(3).fit(forms));
    MlpClassifier other = classifier().setMaxIter(3);
    for (String column : List.of("array", "sparse")) {
      other.setFeaturesCol(column);
      MlpClassificationModel model = other.fit(forms);
      assertArrayEquals(expected, bytes(model), column);
      assertEquals(300, model.transform(forms).where("prediction >= 0").count());
    }
    other.setFeaturesCols(new String[] {"x", "y"}).setFeaturesCol("features");
    assertArrayEquals(expected, bytes(other.fit(forms)));
  }

  @Test
  void aCrossValidatorChoosesAmongSettings() {
    MlpClassifier classifier = classifier().setMaxIter(5);
    ParamMap[] grid =
        new ParamGridBuilder().addGrid(classifier.dropout(), new double[] {0, 0.95}).build();
    CrossValidatorModel chosen =
        new CrossValidator()
            .setEstimator(classifier)
            .setEvaluator(evaluator())
            .setEstimatorParamMaps(grid)
            .setNumFolds(2)
            .setParallelism(2)
            .setSeed(1)
            .fit(points);
    double[] accuracies = chosen.avgMetrics();
    assertTrue(accuracies[0] > accuracies[1], accuracies[0] + " and " + accuracies[1]);
    assertEquals(0.0, chosen.bestModel().getOrDefault(chosen.bestModel().getParam("dropout")));
  }

  @Test
  void aTrainValidationSplitChoosesAmongSettings() throws Exception {
    MlpClassifier classifier = classifier();
    ParamMap[] grid =
        new ParamGridBuilder().addGrid(classifier.maxIter(), new int[] {0, 20}).build();
    TrainValidationSplitModel chosen =
        new TrainValidationSplit()
            .setEstimator(classifier)
            .setEvaluator(evaluator())
            .setEstimatorParamMaps(grid)
            .setTrainRatio(0.7)
            .setParallelism(2)
            .setSeed(1)
            .fit(points);
    String path = folder.resolve("split").toString();
    chosen.save(path);
    TrainValidationSplitModel loaded = TrainValidationSplitModel.load(path);
    var best = (MlpClassificationModel) loaded.bestModel();
    assertEquals(20, best.getMaxIter());
    assertTrue(accuracy(loaded.transform(points)) > 0.95);
    assertArrayEquals(bytes((MlpClassificationModel) chosen.bestModel()), bytes(best));
  }

  @Test
  void aCommitteeHasMembersOfItsOwn() {
    MlpClassificationModel committee = classifier().setMaxIter(2).setMembers(3).fit(points);
    assertEquals(3, committee.network().members().size());
    byte[] second = bytes(classifier().setMaxIter(2).setSeed(2).fit(points));
    byte[] member = ModelBytes.of(committee.network().members().get(1)).bytes();
    assertArrayEquals(second, member);
  }

  @Test
  void badRowsAndSettingsAreOneLine() {
    assertEquals(
        "labels must be whole numbers from 0 to 1, one less than the last of layers, found 2.0",
        message(classifier().setLayers(new int[] {2, 8, 2})));
    assertEquals(
        "features: a row must have as many features as the first of layers, 3, found 2",
        message(classifier().setLayers(new int[] {3, 8, 3})));
    assertEquals(
        "augment needs imageShape, because only images can be distorted",
        message(classifier().setAugment("rotate:10")));
    assertEquals(
        "thresholds must have one number for each of the 3 classes, found 2",
        message(classifier().setThresholds(new double[] {1, 1})));
    MlpClassifier images = classifier().setImageShape(new int[] {1, 2});
    String kinds = "scaling must be one of unit, centred, z-score with imageShape,";
    assertTrue(message(images.setScaling("minmax")).startsWith(kinds));
    assertTrue(message(classifier().setScaling("unit")).startsWith(kinds));
    assertTrue(message(images.setInitialWeights(Vectors.zeros(51))).endsWith("cannot be combined"));
    assertTrue(
        message(classifier().setInitialWeights(Vectors.zeros(3))).contains("found 3"),
        message(classifier().setInitialWeights(Vectors.zeros(3))));
    assertEquals(
        "patience and keepBest need validationIndicatorCol, the column that tells validation rows",
        message(classifier().setPatience(3)));
  }

  /** The exception of a program's own function is not ours, although it is of the same class. */
  @Test
  void theProgramsOwnFailuresAreLeftAlone() {
    Dataset<Row> rows =
        points.withColumn("label", functions.expr("cast(concat('x', label) as double)"));
    Throwable cause = assertThrows(Exception.class, () -> classifier().fit(rows));
    while (cause != null && !(cause instanceof NumberFormatException)) {
      cause = cause.getCause();
    }
    assertNotNull(cause, "the failure of the cast must be among the causes");
  }

  private static String message(MlpClassifier classifier) {
    return assertThrows(IllegalArgumentException.class, () -> classifier.fit(points)).getMessage();
  }
}
