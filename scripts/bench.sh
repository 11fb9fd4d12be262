#!/usr/bin/env bash
# Runs the benchmarks of benchmarks/src: every operation, the whole step, an epoch, filling a batch, reading
# IDX files. Each checks its answer first, and waits for the device inside of what is timed.
#
#   scripts/bench.sh [DEVICES [short [PATTERN]]]       # default: "cpu gpu gpu-ptx gpu-cudnn"
#
# gpu is GPU 0, with cuBLAS where it is found, gpu-ptx with our own kernels alone, gpu-cudnn with cuDNN too.
# About 5 minutes a device; "short" takes less time for each, "-" does not, and PATTERN chooses, such as
# StepBenchmark. Writes benchmarks/results/jmh-DEVICE.json, JMH's results, and jmh-DEVICE.txt, a table
# with command, machine, date and commit. What is not there is a line. RESULTS names another folder.
set -euo pipefail
[[ ${RESULTS:-/} = /* ]] || RESULTS=$PWD/$RESULTS # relative to the caller's folder
cd "$(dirname "$0")/.."
devices=${1:-cpu gpu gpu-ptx gpu-cudnn} length=${2:--} pattern=${3:-mlpcuda.benchmarks}
results=${RESULTS:-benchmarks/results}
mvn -q test-compile org.apache.maven.plugins:maven-dependency-plugin:3.11.0:build-classpath \
  -Dmdep.outputFile=target/bench.classpath -Dmdep.includeScope=test
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
    sed -i 's#"jvm" : ".*/#"jvm" : "#' "target/jmh-$device.json" # where Java lies here says nothing elsewhere
    mv "target/jmh-$device.json" "target/jmh-$device.txt" "$results"
  fi
done
