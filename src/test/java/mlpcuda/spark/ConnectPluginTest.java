package mlpcuda.spark;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import mlpcuda.spark.ConnectPluginTest.Client.Model;
import org.apache.spark.connect.proto.Command;
import org.apache.spark.connect.proto.ConfigRequest;
import org.apache.spark.connect.proto.DataType;
import org.apache.spark.connect.proto.ExecutePlanRequest;
import org.apache.spark.connect.proto.ExecutePlanResponse;
import org.apache.spark.connect.proto.Expression.Literal;
import org.apache.spark.connect.proto.Fetch;
import org.apache.spark.connect.proto.KeyValue;
import org.apache.spark.connect.proto.MlCommand;
import org.apache.spark.connect.proto.MlCommandResult;
import org.apache.spark.connect.proto.MlOperator;
import org.apache.spark.connect.proto.MlOperator.OperatorType;
import org.apache.spark.connect.proto.MlParams;
import org.apache.spark.connect.proto.MlRelation;
import org.apache.spark.connect.proto.ObjectRef;
import org.apache.spark.connect.proto.Plan;
import org.apache.spark.connect.proto.Read;
import org.apache.spark.connect.proto.Relation;
import org.apache.spark.connect.proto.SparkConnectServiceGrpc;
import org.apache.spark.connect.proto.SparkConnectServiceGrpc.SparkConnectServiceBlockingStub;
import org.apache.spark.connect.proto.UserContext;
import org.apache.spark.ml.classification.MultilayerPerceptronClassificationModel;
import org.apache.spark.ml.classification.MultilayerPerceptronClassifier;
import org.apache.spark.ml.linalg.Vector;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.connect.service.SparkConnectService;
import org.apache.spark.sql.connect.service.SparkConnectService$;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkproject.connect.grpc.ManagedChannel;
import org.sparkproject.connect.grpc.netty.NettyChannelBuilder;
import scala.Option;

/**
 * Tests a Spark Connect server with the plug-in by the messages that PySpark's client sends, which
 * name Spark's classes alone.
 */
class ConnectPluginTest {
  private static final String CLASSIFIER = MultilayerPerceptronClassifier.class.getName();
  private static final String MODEL = MultilayerPerceptronClassificationModel.class.getName();
  private static final String EVALUATOR =
      "org.apache.spark.ml.evaluation.MulticlassClassificationEvaluator";
  private static final int[] LAYERS = {2, 8, 3};

  /** What a program sets: all else has the server's defaults. */
  private static final Map<String, Literal> PARAMS =
      Map.of("layers", integers(LAYERS), "seed", integer(1), "blockSize", integer(16));

  @TempDir static Path folder;
  private static SparkSession spark;
  private static ManagedChannel channel;
  private static Relation points;

  @BeforeAll
  static void start() {
    spark = Spark.forConnect(2);
    SparkConnectService.start(spark.sparkContext());
    channel =
        NettyChannelBuilder.forAddress("127.0.0.1", SparkConnectService$.MODULE$.localPort())
            .usePlaintext()
            .build();
    String path = folder.resolve("points").toString();
    Spark.points(spark, 300, 3).write().parquet(path);
    var source = Read.DataSource.newBuilder().setFormat("parquet").addPaths(path);
    points = Relation.newBuilder().setRead(Read.newBuilder().setDataSource(source)).build();
  }

  @AfterAll
  static void stop() {
    channel.shutdownNow();
    SparkConnectService.stop(Option.<Object>empty(), Option.<TimeUnit>empty());
    spark.stop();
  }

  private static Literal integer(int value) {
    return Literal.newBuilder().setInteger(value).build();
  }

  private static Literal string(String value) {
    return Literal.newBuilder().setString(value).build();
  }

  private static Literal integers(int[] values) {
    var array = Literal.Array.newBuilder();
    Arrays.stream(values).forEach(value -> array.addElements(integer(value)));
    var type =
        DataType.Array.newBuilder()
            .setElementType(
                DataType.newBuilder().setInteger(DataType.Integer.getDefaultInstance()));
    return Literal.newBuilder()
        .setArray(array)
        .setDataType(DataType.newBuilder().setArray(type))
        .build();
  }

  /** A session of its own with the server. */
  static final class Client {
    private static final UserContext USER = UserContext.newBuilder().setUserId("tests").build();

    private final SparkConnectServiceBlockingStub server =
        SparkConnectServiceGrpc.newBlockingStub(channel);
    private final String session = UUID.randomUUID().toString();

    /** A session whose networks are mlp-cuda's. */
    static Client plugged() {
      var client = new Client();
      var pair =
          KeyValue.newBuilder()
              .setKey("spark.connect.ml.backend.classes")
              .setValue(ConnectPlugin.class.getName());
      var operation =
          ConfigRequest.Operation.newBuilder()
              .setSet(ConfigRequest.Set.newBuilder().addPairs(pair));
      client.server.config(
          ConfigRequest.newBuilder()
              .setSessionId(client.session)
              .setUserContext(USER)
              .setOperation(operation)
              .build());
      return client;
    }

    private MlCommandResult send(MlCommand.Builder command) {
      var plan = Plan.newBuilder().setCommand(Command.newBuilder().setMlCommand(command));
      Iterator<ExecutePlanResponse> responses =
          server.executePlan(
              ExecutePlanRequest.newBuilder()
                  .setSessionId(session)
                  .setUserContext(USER)
                  .setPlan(plan)
                  .build());
      MlCommandResult result = MlCommandResult.getDefaultInstance();
      while (responses.hasNext()) {
        ExecutePlanResponse response = responses.next();
        if (response.hasMlCommandResult()) {
          result = response.getMlCommandResult();
        }
      }
      return result;
    }

    private static MlOperator operator(String name, OperatorType type) {
      return MlOperator.newBuilder().setName(name).setUid("client").setType(type).build();
    }

    private static MlParams params(Map<String, Literal> values) {
      return MlParams.newBuilder().putAllParams(values).build();
    }

    Model fit(Map<String, Literal> values) {
      var info =
          send(MlCommand.newBuilder()
                  .setFit(
                      MlCommand.Fit.newBuilder()
                          .setEstimator(operator(CLASSIFIER, OperatorType.OPERATOR_TYPE_ESTIMATOR))
                          .setParams(params(values))
                          .setDataset(points)))
              .getOperatorInfo();
      return new Model(info.getObjRef(), info.getWarningMessage());
    }

    void saveClassifier(Map<String, Literal> values, String path) {
      send(
          MlCommand.newBuilder()
              .setWrite(
                  MlCommand.Write.newBuilder()
                      .setOperator(operator(CLASSIFIER, OperatorType.OPERATOR_TYPE_ESTIMATOR))
                      .setParams(params(values))
                      .setPath(path)));
    }

    MlCommandResult.MlOperatorInfo load(String name, OperatorType type, String path) {
      var read = MlCommand.Read.newBuilder().setOperator(operator(name, type)).setPath(path);
      return send(MlCommand.newBuilder().setRead(read)).getOperatorInfo();
    }

    Set<String> parametersOf(Path model) {
      return load(MODEL, OperatorType.OPERATOR_TYPE_MODEL, model.toString())
          .getParams()
          .getParamsMap()
          .keySet();
    }

    Model loadModel(String path) {
      return new Model(load(MODEL, OperatorType.OPERATOR_TYPE_MODEL, path).getObjRef(), "");
    }

    /** A model in the server's memory. */
    final class Model {
      private final ObjectRef reference;
      private final String warning;

      Model(ObjectRef reference, String warning) {
        this.reference = reference;
        this.warning = warning;
      }

      Literal fetch(String method) {
        return fetched(reference, Fetch.Method.newBuilder().setMethod(method)).getParam();
      }

      Literal summary(String method) {
        String summary =
            fetched(reference, Fetch.Method.newBuilder().setMethod("summary")).getSummary();
        return ofSummary(summary, method);
      }

      Literal evaluation(String method) {
        var evaluate =
            Fetch.Method.newBuilder()
                .setMethod("evaluate")
                .addArgs(Fetch.Method.Args.newBuilder().setInput(points));
        return ofSummary(fetched(reference, evaluate).getSummary(), method);
      }

      private Literal ofSummary(String summary, String method) {
        var reference = ObjectRef.newBuilder().setId(summary).build();
        return fetched(reference, Fetch.Method.newBuilder().setMethod(method)).getParam();
      }

      private MlCommandResult fetched(ObjectRef of, Fetch.Method.Builder method) {
        return send(
            MlCommand.newBuilder().setFetch(Fetch.newBuilder().setObjRef(of).addMethods(method)));
      }

      /** The accuracy of the column of predictions that the model appends. */
      double accuracy() {
        var transform =
            MlRelation.Transform.newBuilder()
                .setObjRef(reference)
                .setInput(points)
                .setParams(params(PARAMS));
        var predictions = MlRelation.newBuilder().setTransform(transform);
        return send(MlCommand.newBuilder()
                .setEvaluate(
                    MlCommand.Evaluate.newBuilder()
                        .setEvaluator(operator(EVALUATOR, OperatorType.OPERATOR_TYPE_EVALUATOR))
                        .setParams(params(Map.of("metricName", string("accuracy"))))
                        .setDataset(Relation.newBuilder().setMlRelation(predictions))))
            .getParam()
            .getDouble();
      }

      void save(String path) {
        send(
            MlCommand.newBuilder()
                .setWrite(
                    MlCommand.Write.newBuilder()
                        .setObjRef(reference)
                        .setParams(params(PARAMS))
                        .setPath(path)));
      }

      /** Makes the server read the model from its disk when it is asked next. */
      void evict() {
        send(
            MlCommand.newBuilder()
                .setDelete(MlCommand.Delete.newBuilder().addObjRefs(reference).setEvictOnly(true)));
      }

      /** The name of the model's class. */
      String className() {
        var cache = MlCommand.newBuilder().setGetCacheInfo(MlCommand.GetCacheInfo.newBuilder());
        return send(cache).getParam().getArray().getElementsList().stream()
            .map(Literal::getString)
            .filter(line -> line.contains(reference.getId()))
            .map(line -> line.replaceAll(".*\"class\":\"([^\"]*)\".*", "$1"))
            .findFirst()
            .orElseThrow();
      }
    }
  }

  @Test
  void aSessionTrainsAndAsksOurNetwork() {
    Model model = Client.plugged().fit(PARAMS);
    assertEquals(PluggedMlpClassificationModel.class.getName(), model.className());
    assertEquals(
        "the solver l-bfgs is not there: mlp-cuda trains with Adam instead, at a rate of 0.001 with"
            + " a step after each 16 rows, for at most 100 passes over the rows",
        model.warning);
    assertEquals(2, model.fetch("numFeatures").getInteger());
    assertEquals(3, model.fetch("numClasses").getInteger());
    assertEquals(51, values(model.fetch("weights")).length);
    assertTrue(model.accuracy() > 0.95, () -> "accuracy " + model.accuracy());
    assertEquals(model.accuracy(), model.evaluation("accuracy").getDouble());
    assertEquals(100, model.summary("totalIterations").getInteger());
  }

  @Test
  void aSessionWithoutThePluginKeepsSparksNetwork() {
    assertEquals(MODEL, new Client().fit(PARAMS).className());
  }

  @Test
  void gradientDescentIsDoneWithoutAWord() {
    Model model =
        Client.plugged()
            .fit(Map.of("layers", integers(LAYERS), "solver", string("gd"), "maxIter", integer(3)));
    assertEquals("", model.warning);
    assertEquals(3, model.summary("totalIterations").getInteger());
  }

  /** The server drops models from memory when there are many, and reads them from its disk. */
  @Test
  void theServerReadsAnEvictedModel() {
    Model model = Client.plugged().fit(PARAMS);
    double accuracy = model.accuracy();
    double[] weights = values(model.fetch("weights"));
    model.evict();
    assertArrayEquals(weights, values(model.fetch("weights")));
    assertEquals(accuracy, model.accuracy());
    assertEquals(PluggedMlpClassificationModel.class.getName(), model.className());
  }

  /** A client creates the class that a saved model names, so that it must be Spark's. */
  @Test
  void aSavedModelIsOneOfSparkToo() {
    Client client = Client.plugged();
    Model model = client.fit(PARAMS);
    Path path = folder.resolve("model");
    model.save(path.toString());
    assertTrue(Files.exists(path.resolve(MlpClassificationModel.FILE)));
    assertEquals(model.accuracy(), client.loadModel(path.toString()).accuracy());
    assertEquals(MODEL, new Client().loadModel(path.toString()).className());
    // The client sets what the server says, and its class has Spark's parameters alone.
    assertEquals(new Client().parametersOf(path), client.parametersOf(path));

    Dataset<Row> rows = Spark.points(spark, 300, 3);
    List<Row> sparks =
        MultilayerPerceptronClassificationModel.load(path.toString())
            .transform(rows)
            .collectAsList();
    List<Row> ours =
        PluggedMlpClassificationModel.load(path.toString()).transform(rows).collectAsList();
    for (int i = 0; i < ours.size(); i++) {
      assertArrayEquals(
          sparks.get(i).<Vector>getAs("probability").toArray(),
          ours.get(i).<Vector>getAs("probability").toArray(),
          1e-4);
    }
  }

  @Test
  void aModelThatSparkSavedIsLoadedAsOurs() {
    String path = folder.resolve("sparks").toString();
    Client without = new Client();
    Model sparks = without.fit(PARAMS);
    sparks.save(path);
    Model ours = Client.plugged().loadModel(path);
    assertEquals(PluggedMlpClassificationModel.class.getName(), ours.className());
    assertArrayEquals(values(sparks.fetch("weights")), values(ours.fetch("weights")), 1e-4);
    assertEquals(sparks.accuracy(), ours.accuracy());
  }

  @Test
  void aModelOfOursIsLoadedBySparksClients() throws Exception {
    Path path = folder.resolve("ours");
    MlpClassifier classifier = MlpClassifierTest.classifier().setMaxIter(2).setActivation("tanh");
    classifier.fit(Spark.points(spark, 300, 3)).save(path.toString());
    assertEquals(
        Set.of("blockSize", "layers", "maxIter", "seed", "stepSize"),
        Client.plugged().parametersOf(path));
    MlpClassificationModel loaded = PluggedMlpClassificationModel.load(path.toString());
    assertEquals("tanh", loaded.getActivation());
    assertEquals(1, loaded.getThreads());
  }

  @Test
  void aClassifierIsSavedAsSparks() {
    String path = folder.resolve("classifier").toString();
    Client client = Client.plugged();
    client.saveClassifier(PARAMS, path);
    var info = client.load(CLASSIFIER, OperatorType.OPERATOR_TYPE_ESTIMATOR, path);
    assertEquals(PARAMS.keySet(), info.getParams().getParamsMap().keySet());
    MultilayerPerceptronClassifier sparks = MultilayerPerceptronClassifier.load(path);
    assertArrayEquals(LAYERS, sparks.getLayers());
    assertFalse(sparks.isSet(sparks.maxIter()));
  }

  private static double[] values(Literal vector) {
    return vector
        .getStruct()
        .getElements(3)
        .getSpecializedArray()
        .getDoubles()
        .getValuesList()
        .stream()
        .mapToDouble(Double::doubleValue)
        .toArray();
  }
}
