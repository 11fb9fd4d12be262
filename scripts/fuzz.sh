#!/usr/bin/env bash
# Runs the fuzzers of all parsers and of the HTTP server N times, each time with other inputs
# (default: 10).
set -euo pipefail
cd "$(dirname "$0")/.."
mvn -q -o -Dspotless.check.skip test-compile
for run in $(seq "${1:-10}"); do
  echo "run $run: $(date -u +%T)"
  mvn -q -o surefire:test -DexcludedGroups= -Dtest='*FuzzTest' -Dmlpcuda.fuzz="$run"
done
