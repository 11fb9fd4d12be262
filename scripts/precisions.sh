#!/usr/bin/env bash
# Trains the default preset in each precision with seeds 1 to 5 and prints a table of test accuracies:
#
#   mvn -q -DskipTests package && scripts/precisions.sh [--seeds N] [OPTION ...] > benchmarks/results/precision-cpu.md
#
# Every run gets the options, such as --gpu 0 or --epochs 1. Without options the runs use the CPU.
set -euo pipefail
cd "$(dirname "$0")/.."
command="scripts/precisions.sh${*:+ $*}"
seeds=5
if [ "${1:-}" = --seeds ]; then
  seeds=$2
  shift 2
fi
[ $# -gt 0 ] || set -- --cpu
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
echo "# Accuracy by precision"
echo
echo "\`mvn -q -DskipTests package && $command\`"
echo
echo "$(nproc) cores of $(sed -nE 's/^model name\s*: //p' /proc/cpuinfo | head -n 1), Linux $(uname -r | cut -d . -f 1,2);" \
  "$(java -version 2>&1 | sed -n 2p). $(date -u +%F), commit $(git rev-parse --short HEAD)."
echo
echo "| precision | test accuracy, seeds 1–$seeds | mean | mean loss of the last epoch | last loss scale, steps skipped | seconds of an epoch |"
echo "|---|---|---|---|---|---|"
for precision in fp32 tf32 bf16 fp16; do
  for seed in $(seq "$seeds"); do
    java -jar target/mlp-cuda.jar --precision "$precision" --seed "$seed" --test-at-end --out "$out" "$@" |
      sed -nE 's/^Test set: .*\(([0-9.]+)%\)$/accuracy \1/p; s/^Loss scale ([^,]*), ([^ ]*) of .*/scale \1, \2/p'
    awk -F, '$1 == "epoch" { loss = $4; print "seconds", $6 } END { print "loss", loss }' "$out/metrics.csv"
  done | sort -s -k 1,1 | awk -v precision="$precision" '
    $1 == "accuracy" { all = all " " $2; sum += $2; n++ }
    $1 == "loss" { if (low == "" || $2 < low) low = $2; if ($2 > high) high = $2 }
    $1 == "scale" { scales = scales (scales ? "; " : "") $2 " " $3 }
    $1 == "seconds" { if (fastest == "" || $2 < fastest) fastest = $2 }
    END {
      printf "| `%s` |%s | %.2f | %.3f–%.3f | %s | %.2f |\n",
        precision, all, sum / n, low, high, scales ? scales : "–", fastest
    }'
done
echo
echo "Seconds are of the fastest epoch."
