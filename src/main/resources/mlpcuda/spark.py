"""mlp-cuda's networks in PySpark's machine learning.

The class path of Spark and the path of Python both need mlp-cuda's jar, which holds this file:

    spark-submit --jars mlp-cuda.jar --py-files mlp-cuda.jar program.py

The module has the name of the Java package, because PySpark derives the name of a class in one
language from its name in the other when it loads a pipeline. A client of Spark Connect needs this
file alone; the jar is then the server's.
"""

from typing import Any

from pyspark.ml.classification import (
    MultilayerPerceptronClassificationModel,
    MultilayerPerceptronClassifier,
)
from pyspark.ml.param import Param, Params, TypeConverters
from pyspark.ml.param.shared import HasWeightCol

__all__ = ["MlpClassifier", "MlpClassificationModel"]

_NO_DEFAULT = None

# Name, converter, default and documentation of each parameter that Spark's own classifier lacks.
_PARAMS = [
    ("activation", TypeConverters.toString, "relu",
     "Activation of the hidden layers: relu, sigmoid, tanh or lecun-tanh."),
    ("dropout", TypeConverters.toFloat, 0.0,
     "Fraction of each hidden layer's outputs that training sets to 0, in [0, 1)."),
    ("optimizer", TypeConverters.toString, "adam",
     "Optimizer: adam, adamw or sgd."),
    ("momentum", TypeConverters.toFloat, 0.9,
     "Momentum of the optimizer sgd, in [0, 1)."),
    ("weightDecay", TypeConverters.toFloat, 0.0,
     "Weight decay, at least 0."),
    ("schedule", TypeConverters.toString, "constant",
     "Course of the learning rate: constant, step:EPOCHS:GAMMA, exponential:GAMMA, cosine"
     " or one-cycle."),
    ("labelSmoothing", TypeConverters.toFloat, 0.0,
     "Share of the target that is spread over all classes, in [0, 1)."),
    ("scaling", TypeConverters.toString, _NO_DEFAULT,
     "Scaling of the features, by numbers of the training rows: standard, minmax or none;"
     " of images unit, centred or z-score. Without it unit for images, none with"
     " initialWeights, otherwise standard."),
    ("patience", TypeConverters.toInt, 0,
     "Number of epochs without a lower validation loss after which training ends; 0: it"
     " goes on to maxIter."),
    ("keepBest", TypeConverters.toBoolean, False,
     "Whether the model has the weights of the best validation epoch."),
    ("weightCol", TypeConverters.toString, _NO_DEFAULT,
     "Column of the rows' weights in the loss."),
    ("validationIndicatorCol", TypeConverters.toString, _NO_DEFAULT,
     "Boolean column: true for rows that judge the epochs and are not learnt from."),
    ("featuresCols", TypeConverters.toListString, _NO_DEFAULT,
     "Columns of the features in place of featuresCol: numbers, vectors, arrays or binary,"
     " whose values follow one another."),
    ("imageShape", TypeConverters.toListInt, _NO_DEFAULT,
     "Height and width in pixels, if the features are images of bytes (0 to 255)."),
    ("augment", TypeConverters.toString, _NO_DEFAULT,
     "Distortions of training images, such as elastic:37:5.5,rotate:12; needs imageShape."),
    ("members", TypeConverters.toInt, 1,
     "Number of networks that are trained, whose probabilities are averaged."),
    ("numWorkers", TypeConverters.toInt, 1,
     "Number of tasks that train one network together, each on its part of the rows."),
    ("localSteps", TypeConverters.toInt, 25,
     "Steps of a worker between two averagings of the workers' networks; 0: an epoch's."),
    ("outerRate", TypeConverters.toFloat, 1.0,
     "Rate of the step that the mean of the workers' changes takes."),
    ("outerMomentum", TypeConverters.toFloat, 0.5,
     "Nesterov momentum of the workers' mean changes, in [0, 1)."),
    ("device", TypeConverters.toString, "auto",
     "Device of a task: gpu (that of Spark's resource gpu, else the first), cpu, or auto: a"
     " GPU if Spark assigns one or one is found, else the CPU."),
    ("precision", TypeConverters.toString, "fp32",
     "Precision of products on a GPU: fp32, tf32, bf16 or fp16."),
    ("threads", TypeConverters.toInt, 0,
     "Threads of a task on the CPU; 0: spark.executor.cores if it is set, with several workers"
     " or members spark.task.cpus, otherwise and in prediction all processors."),
]

# Parameters of Spark's own classifier whose defaults are others here.
_DEFAULTS = {"maxIter": 10, "stepSize": 1e-3, "tol": 0.0}


class _MlpParams(HasWeightCol):
    """The parameters, and for each a getter and a setter, such as getDropout and setDropout."""

    def _set_defaults(self, but: str = "") -> None:
        self._setDefault(**_DEFAULTS)
        own = {n: d for n, _, d, _ in _PARAMS if d is not _NO_DEFAULT and n != but}
        self._setDefault(**own)


def _declare(name: str, converter: Any, doc: str) -> None:
    def get(self: Params) -> Any:
        return self.getOrDefault(name)

    def set_(self: Params, value: Any) -> Params:
        return self._set(**{name: value})

    for verb, method, about in (("get", get, "Gets"), ("set", set_, "Sets")):
        method.__name__ = verb + name[0].upper() + name[1:]
        method.__doc__ = f"{about} {name}. {doc}"
        setattr(_MlpParams, method.__name__, method)
    setattr(_MlpParams, name, Param(Params._dummy(), name, doc, typeConverter=converter))


for _name, _converter, _, _doc in _PARAMS:
    _declare(_name, _converter, _doc)


class MlpClassifier(MultilayerPerceptronClassifier, _MlpParams):
    """Trains a multilayer perceptron on the executors' GPUs or CPUs.

    It takes the parameters of Spark's MultilayerPerceptronClassifier and those of this module by
    name: MlpClassifier(layers=[784, 1000, 10], maxIter=20, dropout=0.2).
    """

    def __init__(self, **params: Any):
        # The constructor of Spark's classifier would create Spark's Java object.
        super(MultilayerPerceptronClassifier, self).__init__()
        self._java_obj = self._new_java_obj("mlpcuda.spark.MlpClassifier", self.uid)
        self._set_defaults()
        self.setParams(**params)

    def setParams(self, **params: Any) -> "MlpClassifier":
        """Sets parameters by their names."""
        unknown = [name for name in params if not self.hasParam(name)]
        if unknown:
            raise TypeError(f"MlpClassifier has no parameter {', '.join(unknown)}")
        return self._set(**params)

    def _create_model(self, java_model: Any) -> "MlpClassificationModel":
        return MlpClassificationModel(java_model)


class MlpClassificationModel(MultilayerPerceptronClassificationModel, _MlpParams):
    """A trained network; load reads a folder that save made, or a file *.safetensors."""

    def __init__(self, java_model: Any = None):
        super().__init__(java_model)
        self._set_defaults(but="activation")  # a loaded file has its own
