#!/usr/bin/env bash
# Times mlp-cuda and PyTorch on the default preset, in turn (A B A B …), and prints medians and
# ratios: seconds of an epoch (the median of a run's epochs) and of a whole process.
#
#   mvn -q -DskipTests package && scripts/compare-pytorch.sh [BATCH_SIZE [EPOCHS [ROUNDS]]]
#
# PYTHON names a Python with PyTorch (default: python3); PyTorch runs with one thread and with as
# many as there are processors (THREADS="1 2" says otherwise), and the faster one counts.
set -euo pipefail
cd "$(dirname "$0")/.."
batch=${1:-64} epochs=${2:-10} rounds=${3:-5}
python=${PYTHON:-python3}
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

timed() { # NAME COMMAND...: appends "median epoch seconds, process seconds" to NAME
  local name=$1 start end
  shift
  start=$(date +%s.%N)
  "$@" > "$out/log"
  end=$(date +%s.%N)
  [ "$name" != mlp-cuda ] || cp "$out/run/metrics.csv" "$out/log"
  local column=4
  [ "$name" != mlp-cuda ] || column=6
  echo "$(grep '^epoch,' "$out/log" | cut -d, -f$column | sort -n | awk '{ v[NR] = $1 }
    END { print v[int((NR + 1) / 2)] }') $(awk -v a="$start" -v b="$end" "BEGIN { print b - a }")" >> "$out/$name"
}

for _ in $(seq "$rounds"); do
  timed mlp-cuda java -jar target/mlp-cuda.jar --cpu --batch-size "$batch" --epochs "$epochs" \
    --out "$out/run"
  for threads in ${THREADS:-$(printf "1\n%s\n" "$(nproc)" | sort -u)}; do
    timed "pytorch-$threads" "$python" scripts/peers/pytorch_eager.py --batch-size "$batch" \
      --epochs "$epochs" --threads "$threads"
  done
done

echo "batch $batch, $epochs epochs, $rounds rounds, medians (min–max), $(nproc) processors"
for name in mlp-cuda $(cd "$out" && ls -d pytorch-*); do
  for column in 1 2; do
    cut -d' ' -f$column "$out/$name" | sort -n | awk -v name="$name" -v column=$column '
      { v[NR] = $1 }
      END {
        what = column == 1 ? "epoch" : "process"
        printf "%-10s %-7s %7.3f s (%.3f–%.3f)\n", name, what, v[int((NR + 1) / 2)], v[1], v[NR]
      }'
  done
done
for name in $(cd "$out" && ls -d pytorch-*); do # the ratios, round by round
  paste -d' ' "$out/mlp-cuda" "$out/$name" | awk '{ print $3 / $1, $4 / $2 }' > "$out/ratios"
  for column in 1 2; do
    cut -d' ' -f$column "$out/ratios" | sort -n | awk -v name="$name" -v column=$column '
      { v[NR] = $1 }
      END {
        what = column == 1 ? "epoch" : "process"
        printf "%s / mlp-cuda, %s: %.2f\n", name, what, v[int((NR + 1) / 2)]
      }'
  done
done
