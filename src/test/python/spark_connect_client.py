"""An ordinary program of PySpark, which knows Spark's own classes alone.

With a Connect server that has mlp-cuda's plug-in, its networks are mlp-cuda's.
Usage: spark_connect_client.py sc://127.0.0.1:PORT FOLDER
"""

import sys
import warnings

from pyspark.ml import Pipeline, PipelineModel
from pyspark.ml.classification import (
    MultilayerPerceptronClassificationModel,
    MultilayerPerceptronClassifier,
)
from pyspark.ml.evaluation import MulticlassClassificationEvaluator
from pyspark.ml.feature import VectorAssembler
from pyspark.ml.linalg import Vectors
from pyspark.ml.tuning import CrossValidator, CrossValidatorModel, ParamGridBuilder
from pyspark.sql import SparkSession


def show(name, value):
    print(f"{name}: {value}", flush=True)


def run(spark, folder):
    table = spark.range(300).selectExpr(
        "cast(id % 3 as double) as label",
        "cos(id % 3 * 2.1) + 0.3 * randn(1) as x",
        "sin(id % 3 * 2.1) + 0.3 * randn(2) as y",
    )
    points = VectorAssembler(inputCols=["x", "y"], outputCol="features").transform(table)
    accuracy = MulticlassClassificationEvaluator(metricName="accuracy")

    classifier = MultilayerPerceptronClassifier(layers=[2, 8, 3], seed=1, blockSize=16)
    model = classifier.fit(points)
    show("model", model)
    show("layers", model.getLayers())
    show("weights", len(model.weights))
    show("features and classes", (model.numFeatures, model.numClasses))
    show("predict", model.predict(Vectors.dense(1.0, 0.0)))
    show("accuracy", accuracy.evaluate(model.transform(points)))
    show("accuracy by evaluate", model.evaluate(points).accuracy)
    summary = model.summary()
    show("iterations", summary.totalIterations)
    show("first and last loss", (summary.objectiveHistory[0], summary.objectiveHistory[-1]))
    show("accuracy of the summary", summary.accuracy)

    model.write().overwrite().save(folder + "/model")
    loaded = MultilayerPerceptronClassificationModel.load(folder + "/model")
    show("loaded", loaded)
    assert model.transform(points).collect() == loaded.transform(points).collect()
    classifier.write().overwrite().save(folder + "/classifier")
    show("classifier", MultilayerPerceptronClassifier.load(folder + "/classifier").getLayers())

    assembler = VectorAssembler(inputCols=["x", "y"], outputCol="features")
    pipeline = Pipeline(stages=[assembler, classifier]).fit(table)
    pipeline.write().overwrite().save(folder + "/pipeline")
    again = PipelineModel.load(folder + "/pipeline")
    show("pipeline", again.stages)
    assert pipeline.transform(table).collect() == again.transform(table).collect()

    grid = ParamGridBuilder().addGrid(classifier.layers, [[2, 1, 3], [2, 8, 3]]).build()
    validator = CrossValidator(
        estimator=classifier, estimatorParamMaps=grid, evaluator=accuracy, numFolds=2, seed=1
    )
    best = validator.fit(points)
    show("cross-validation", (best.avgMetrics, best.bestModel.getLayers()))
    best.write().overwrite().save(folder + "/validated")
    show("loaded", CrossValidatorModel.load(folder + "/validated").bestModel)


warnings.simplefilter("always")
url, folder = sys.argv[1:]
spark = SparkSession.builder.remote(url).getOrCreate()
try:
    run(spark, folder)
finally:
    spark.stop()  # the threads of a session that failed would keep the program alive
