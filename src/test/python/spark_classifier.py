"""Uses mlp-cuda's module of PySpark, in a Spark of its own or through a Connect server.

Usage: spark-submit --master local[2] --jars mlp-cuda.jar --py-files mlp-cuda.jar \
    spark_classifier.py FOLDER [sc://127.0.0.1:PORT]
"""

import sys

from pyspark.ml import Pipeline, PipelineModel
from pyspark.ml.classification import OneVsRest
from pyspark.ml.evaluation import MulticlassClassificationEvaluator
from pyspark.ml.feature import VectorAssembler
from pyspark.ml.tuning import CrossValidator, CrossValidatorModel, ParamGridBuilder
from pyspark.sql import SparkSession

from mlpcuda.spark import MlpClassificationModel, MlpClassifier


def show(name, value):
    print(f"{name}: {value}", flush=True)


def run(spark, folder):
    table = spark.range(300).selectExpr(
        "cast(id % 3 as double) as label",
        "cos(id % 3 * 2.1) + 0.3 * randn(1) as x",
        "sin(id % 3 * 2.1) + 0.3 * randn(2) as y",
    )
    accuracy = MulticlassClassificationEvaluator(metricName="accuracy")

    classifier = MlpClassifier(
        layers=[2, 8, 3], featuresCols=["x", "y"], blockSize=16, stepSize=0.01, seed=1, threads=1
    ).setActivation("tanh")
    classifier.setMaxIter(30)
    show("parameters", sorted(p.name for p in classifier.params))
    assert classifier.getDropout() == 0.0 and classifier.getTol() == 0.0
    model = classifier.fit(table)
    show("model", model)
    show("accuracy", accuracy.evaluate(model.transform(table)))
    show("iterations", model.summary().totalIterations)

    model.write().overwrite().save(folder + "/model")
    loaded = MlpClassificationModel.load(folder + "/model")
    assert loaded.getActivation() == "tanh" and loaded.getFeaturesCols() == ["x", "y"]
    assert model.transform(table).collect() == loaded.transform(table).collect()
    show("loaded", loaded)
    file = MlpClassificationModel.load(folder + "/model/model.safetensors")
    assert file.getActivation() == "tanh", "the file's, and not the default"
    file.write().overwrite().save(folder + "/file")
    show("file", MlpClassificationModel.load(folder + "/file"))
    classifier.write().overwrite().save(folder + "/classifier")
    assert MlpClassifier.load(folder + "/classifier").getThreads() == 1

    pipeline = Pipeline(stages=[classifier]).fit(table)
    pipeline.write().overwrite().save(folder + "/pipeline")
    again = PipelineModel.load(folder + "/pipeline")
    assert type(again.stages[0]) is MlpClassificationModel
    assert pipeline.transform(table).collect() == again.transform(table).collect()

    points = VectorAssembler(inputCols=["x", "y"], outputCol="features").transform(table)
    simple = MlpClassifier(layers=[2, 8, 3], blockSize=16, stepSize=0.01, maxIter=10, seed=1)
    weighted = points.selectExpr("*", "if(label = 2, 0.0, 1.0) as weight")
    binary = MlpClassifier(layers=[2, 8, 2], stepSize=0.01, seed=1)
    several = OneVsRest(classifier=binary, weightCol="weight").fit(weighted)
    answers = [model.transform(weighted).where("prediction = 1").count() for model in several.models]
    assert answers[0] > 0 and answers[2] == 0, answers  # rows of class 2 have no weight
    grid = ParamGridBuilder().addGrid(simple.dropout, [0.0, 0.9]).build()
    validator = CrossValidator(
        estimator=simple, estimatorParamMaps=grid, evaluator=accuracy, numFolds=2, seed=1
    )
    best = validator.fit(points)
    show("cross-validation", best.avgMetrics)
    best.write().overwrite().save(folder + "/validated")
    show("loaded", CrossValidatorModel.load(folder + "/validated").bestModel)
    try:
        MlpClassifier(layer=[2, 3])
    except TypeError as e:
        show("refused", e)


folder = sys.argv[1]
builder = SparkSession.builder
spark = (builder.remote(sys.argv[2]) if len(sys.argv) > 2 else builder).getOrCreate()
try:
    run(spark, folder)
finally:
    spark.stop()  # the threads of a session that failed would keep the program alive
