/**
 * An estimator and a model for Apache Spark's pipelines of machine learning, on Spark's own engine.
 *
 * <p>{@link mlpcuda.spark.MlpClassifier} trains a network on the rows of a data frame, and {@link
 * mlpcuda.spark.MlpClassificationModel} predicts their classes. Spark itself is not part of the
 * jars: {@code spark-submit} brings it. This package stands on the library {@link mlpcuda} alone.
 */
package mlpcuda.spark;
