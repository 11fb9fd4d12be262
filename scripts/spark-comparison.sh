#!/usr/bin/env bash
# Trains one network on MNIST with Spark's own multilayer perceptron and with mlp-cuda's estimator, in turn, with two
# threads in one JVM, and prints the times of fits and passes, the accuracies and the rates of prediction.
#
#   scripts/spark-comparison.sh [LAYERS [SPARK'S ITERATIONS [OUR EPOCHS,... [ROUNDS [REPEATS [OUR RATE]]]]]]
#
# The defaults are 784,100,10, 100 iterations of L-BFGS, 4 epochs of ours, 3 rounds, the test rows predicted 10 times and
# a learning rate of 0.02.
set -euo pipefail
cd "$(dirname "$0")/.."
mvn -q -DskipTests test-compile
classpath=$(mktemp)
trap 'rm -f "$classpath"' EXIT
mvn -q dependency:build-classpath -Dmdep.outputFile="$classpath"
opens=()
for package in java.lang java.lang.invoke java.lang.reflect java.io java.net java.nio java.util java.util.concurrent \
  java.util.concurrent.atomic sun.nio.ch sun.nio.cs sun.security.action sun.util.calendar; do
  opens+=("--add-opens=java.base/$package=ALL-UNNAMED")
done
# With the module, which spark-submit adds too, Spark's products use vector instructions.
java -Xmx6g --add-modules=jdk.incubator.vector "${opens[@]}" \
  -cp "target/test-classes:target/classes:$(cat "$classpath")" \
  mlpcuda.benchmarks.SparkComparison "${1:-784,100,10}" "${2:-100}" "${3:-4}" "${4:-3}" "${5:-10}" "${6:-0.02}"
