#!/usr/bin/env bash
# Runs the fuzz tests of all parsers and of the HTTP server N times (default: 10), each time with other inputs.
set -euo pipefail
cd "$(dirname "$0")/.."
mvn -q -o -Dspotless.check.skip test-compile
for run in $(seq "${1:-10}"); do
  echo "run $run: $(date -u +%T)"
  mvn -q -o surefire:test -DexcludedGroups= -Dtest='*FuzzTest' -Dmlpcuda.fuzz="$run"
done
