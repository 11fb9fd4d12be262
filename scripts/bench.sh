#!/usr/bin/env bash
# Runs the benchmarks of benchmarks/src: every operation, the whole step, an epoch, filling a batch, reading
# IDX files. Each benchmark first checks its result, and waits for the device within the time that it measures.
#
#   scripts/bench.sh [DEVICES [short [PATTERN]]]       # default: "cpu gpu gpu-ptx gpu-cudnn"
#
# Each device but cpu is GPU 0: gpu uses cuBLAS if it is found, gpu-ptx only this project's kernels, gpu-cudnn also
# cuDNN. A device takes about 5 minutes. "short" measures for less time, "-" for the usual time. PATTERN is a regular
# expression that chooses benchmarks, such as StepBenchmark. The script writes benchmarks/results/jmh-DEVICE.json, the
# results of JMH, and jmh-DEVICE.txt, a table with command, machine, date and commit. If a device is missing, a line
# says so and no file is written. The variable RESULTS names another folder for the results.
set -euo pipefail
[[ ${RESULTS:-/} = /* ]] || RESULTS=$PWD/$RESULTS # relative to the caller's folder
cd "$(dirname "$0")/.."
devices=${1:-cpu gpu gpu-ptx gpu-cudnn} length=${2:--} pattern=${3:-mlpcuda.benchmarks}
results=${RESULTS:-benchmarks/results}
mvn -q test-compile org.apache.maven.plugins:maven-dependency-plugin:3.11.0:build-classpath \
  -Dmdep.outputFile=target/bench.classpath
mkdir -p "$results"
for device in $devices; do
  {
    echo "scripts/bench.sh $device $length $pattern, $(date +%F), commit $(git describe --always --dirty)"
    echo "$(nproc) processors,$(sed -n 's/^model name.*://p' /proc/cpuinfo | head -n 1), Java $(
      java -XshowSettings:properties -version 2>&1 | sed -n 's/^ *java.version = //p')"
    java -cp "target/test-classes:target/classes:$(cat target/bench.classpath)" \
      mlpcuda.benchmarks.Benchmarks "$device" "target/jmh-$device.json" "target/jmh-$device.log" \
      "$length" "$pattern"
  } | tee "target/jmh-$device.txt"
  if ! grep -q "^$device is skipped" "target/jmh-$device.txt"; then
    sed -i 's#"jvm" : ".*/#"jvm" : "#' "target/jmh-$device.json" # the path of Java on this machine is of no use to readers
    mv "target/jmh-$device.json" "target/jmh-$device.txt" "$results"
  fi
done
