#!/usr/bin/env bash
# Trains every preset with seeds 1 to 5 and prints the rows of the table of presets in training.md:
#
#   mvn -q -DskipTests package && scripts/presets.sh [OPTION ...]
#
# Every run gets the options, such as --cpu or --gpu 0.
set -euo pipefail
cd "$(dirname "$0")/.."
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
echo "| preset | test accuracy, seeds 1–5 | mean | mean loss of the first epoch | of the last |"
echo "|---|---|---|---|---|"
for preset in 300x300 128x64x32-relu-out 128 128x64 128x64-centred; do
  for seed in 1 2 3 4 5; do
    java -jar target/mlp-cuda.jar --preset "$preset" --seed "$seed" --test-at-end --out "$out" "$@" |
      sed -nE 's/^Test set: .*\(([0-9.]+)%\)$/\1/p'
    awk -F, '$1 == "epoch" { if (!first) first = $4; last = $4 } END { print first, last }' \
      "$out/metrics.csv"
  done | awk -v preset="$preset" '
    NR % 2 { all = all " " $1; sum += $1; next }
    {
      if (NR == 2 || $1 < first) first = $1; if ($1 > first_max) first_max = $1
      if (NR == 2 || $2 < last) last = $2; if ($2 > last_max) last_max = $2
    }
    END {
      printf "| `%s` |%s | %.2f | %.3f–%.3f | %.3f–%.3f |\n",
        preset, all, sum / 5, first, first_max, last, last_max
    }'
done
