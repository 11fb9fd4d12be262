#!/usr/bin/env bash
# Trains the default preset with mlp-cuda and with other programs, called peers, in turn (A B C … A B C …), and prints a
# table: the medians of the rounds, and ratios to mlp-cuda, which are taken round by round.
#
#   mvn -q -DskipTests package && scripts/peers.sh [--cpu | --gpu N] [--hidden W,W] [--augment LIST] [--out FILE]
#     [BATCH [EPOCHS [ROUNDS]]]
#
# The defaults are --cpu, hidden layers of 128 and 64, batches of 64, 10 epochs and 3 rounds. --out also appends the table
# to FILE.
# With --augment mlp-cuda and PyTorch distort the training images in every epoch, and only they are run. PyTorch smooths
# the displacements by products, or as usual by convolutions (pytorch-conv-2).
# PEERS="mlp-cuda pytorch-1 djl-2" chooses peers; the number in a name is the number of threads. PYTHON names a Python
# with PyTorch and JAX (default: python3), JAR another mlp-cuda. Maven downloads DJL and DL4J, some hundred MB the first
# time. If a peer is missing or fails, its row of the table says why.
#
# Each peer has the same network, data, scaling and Adam, a random order, and one test at the end. A peer prints
#   peer,DESCRIPTION                       its version and setting
#   epoch,N,LOSS,SECONDS                   the loss, if there is one, of the last batch
#   Test set: … (ACCURACY%)                the same line as that of mlp-cuda
#   inference,SECONDS,BATCH,TOOK           the time of a warm pass over the test set, from bytes of pixels in memory to
#                                          loss and accuracy, with the fastest of batches of 250, 1000 and 10000. TOOK
#                                          is the time of all these passes; it is taken off the time of the process.
# Peers train on data that was normalised beforehand on the device, their fastest way; mlp-cuda normalises in every step.
set -euo pipefail
export LC_ALL=C
from=$PWD
cd "$(dirname "$0")/.."
there() { # PATH: made absolute, relative to the caller's folder
  case $1 in
    /*) echo "$1" ;;
    *) echo "$from/$1" ;;
  esac
}
command="scripts/peers.sh $*" device=cpu gpu=-1 hidden=128,64 augment=none file=/dev/null
while [[ ${1-} == --* ]]; do
  case $1 in
    --cpu) device=cpu gpu=-1 ;;
    --gpu) device=cuda:${2:?a number} gpu=$2 && shift ;;
    --hidden) hidden=${2:?widths} && shift ;;
    --augment) augment=${2:?distortions} && shift ;;
    --out) file=$(there "${2:?a file}") && shift ;;
    *) echo "unknown option $1" >&2 && exit 2 ;;
  esac
  shift
done
batch=${1:-64} epochs=${2:-10} rounds=${3:-3}
python=${PYTHON:-python3} jar=target/mlp-cuda.jar all=$(nproc)
[[ $python != */* ]] || python=$(there "$python") # otherwise a command's name
[ -z "${JAR-}" ] || jar=$(there "$JAR")
mnist=src/main/resources/mlpcuda/data/mnist
if [ "$device" = cpu ]; then
  # Whether one thread or all are faster differs, so PyTorch and DJL are run with both. PyTorch with a DataLoader,
  # PyTorch compiled and DL4J have one thread, which was faster on two cores; JAX uses all cores.
  [ "$all" = 1 ] && more="" || more=$all
  default="mlp-cuda pytorch-1 ${more:+pytorch-$more} pytorch-loader pytorch-compile pytorch-graph jax
    djl-1 ${more:+djl-$more} dl4j-1"
else
  default="mlp-cuda mlp-cuda-resident pytorch-eager pytorch-loader pytorch-compile pytorch-graph jax djl-1 dl4j-1"
fi
if [ "$augment" != none ]; then
  [ "$device" = cpu ] && default="mlp-cuda pytorch-1 pytorch-$all pytorch-conv-$all" || default="mlp-cuda pytorch-eager"
fi
read -d '' -ra peers <<< "${PEERS:-$default}" || true # splits at newlines too
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
exec 3>&2 # for messages to the user: the standard error of a peer goes to a file, and is shown only if the peer fails

# ---- the peers: NAME EPOCHS [INFERENCE'S BATCH SIZES]

mlp_cuda() {
  local on=(--cpu)
  [ "$device" = cpu ] || on=(--gpu "$gpu")
  [ "$1" != mlp-cuda-resident ] || on+=(--feed resident)
  java -jar "$jar" "${on[@]}" --hidden "$hidden" --augment "$augment" --batch-size "$batch" --epochs "$2" --test-at-end \
    --overwrite --out "$out/run" > "$out/train" || return
  echo "peer,$(head -n 1 "$out/train")"
  awk -F, '$1 == "epoch" { print "epoch," $2 "," $4 "," $6 }' "$out/run/metrics.csv"
  tail -n 1 "$out/train"
  [ -n "${3-}" ] || return 0
  local start=$EPOCHREALTIME code=0 best took
  java -jar "$jar" benchmark "${on[@]}" --hidden "$hidden" --batch-sizes "$3" --repeats 15 --seconds 0.01 --json \
    > "$out/json" 2> "$out/err-inference" || code=$?
  took=$(elapsed "$start") # measured after a failure too, so that the process's time is without it
  if [ "$code" != 0 ]; then
    echo "inference,0,0,$took"
    echo "$1: inference is not measured: benchmark ended with code $code: $(why "$out/err-inference")" >&3
    return 0
  fi
  # The first device in the document is the requested one; variations of it follow.
  best=$(tr -d ' \n' < "$out/json" | sed 's/}\]}.*//' | grep -o '"work":"inference",[^}]*' |
    sed -E 's/.*"batch_size":([0-9]+),.*"seconds":([^,]*),.*/\1 \2/' |
    awk '
      $2 > 0 { # a row with a wrong result has no time
        pass = $2 * 10000 / $1
        if (!size || pass < best) { best = pass; size = $1 }
      }
      END { if (size) printf "%.6f,%d", best, size }') || true
  echo "inference,${best:-0,0},$took"
  [ -n "$best" ] || echo "$1: inference is not measured: benchmark's document has none" >&3
}

pytorch() {
  local form=${1#pytorch-} threads=1 smooth=product
  [[ $form != conv-* ]] || form=${form#conv-} smooth=conv
  case $form in
    [0-9]*) threads=$form form=eager ;;
    eager) threads=0 ;;
  esac
  "$python" scripts/peers/pytorch.py --form "$form" --device "$device" --threads "$threads" \
    --hidden "$hidden" --augment "${augment#none}" --smooth "$smooth" --batch-size "$batch" --epochs "$2" --inference "${3-}"
}

jax() {
  "$python" scripts/peers/jax_scan.py --device "$device" --hidden "$hidden" --batch-size "$batch" --epochs "$2" \
    --inference "${3-}"
}

djl() { # ai.djl.offline keeps DJL from reporting its use
  local threads=${1#djl-}
  OMP_NUM_THREADS=$threads java -Dai.djl.offline=true -DDJL_CACHE_DIR=target/peers/djl/cache \
    -cp "target/peers/djl/classes:$(cat target/peers/djl/classpath)" \
    DjlPeer "$mnist" "$gpu" "$threads" "$batch" "$2" "${3-}" "$hidden"
}

dl4j() {
  OMP_NUM_THREADS=${1#dl4j-} java -Dorg.bytedeco.javacpp.cachedir=target/peers/dl4j/cache \
    -cp "target/peers/dl4j/classes:$(cat target/peers/dl4j/classpath)" Dl4jPeer "$mnist" "$batch" "$2" "${3-}" "$hidden"
}

built() { # djl or dl4j
  if [ "$1" = dl4j ] && [ "$device" != cpu ]; then
    echo "it is not tried here on a GPU" >&2
    return 1
  fi
  local profile=()
  [ "$device" = cpu ] || profile=(-Pgpu)
  mvn -B -q -Dstyle.color=never -f "scripts/peers/$1" ${profile[@]+"${profile[@]}"} compile \
    org.apache.maven.plugins:maven-dependency-plugin:3.11.0:build-classpath \
    -Dmdep.outputFile="$PWD/target/peers/$1/classpath" >&2
}

run() {
  case $1 in
    mlp-cuda | mlp-cuda-resident) mlp_cuda "$@" ;;
    pytorch-*) pytorch "$@" ;;
    jax) jax "$@" ;;
    djl-[0-9]*) djl "$@" ;;
    dl4j-[0-9]*) dl4j "$@" ;;
    *) echo "no such peer" >&2 && return 1 ;;
  esac
}

# ---- rounds

elapsed() { awk -v a="$1" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.3f", b - a }'; }

why() { # [FILE]: the most telling line of FILE, by default of the standard error of the last peer
  sed $'s/\e\\[[0-9;]*m//g' "${1:-$out/err}" > "$out/plain" # without colours
  { grep -m 1 -E '^(\[ERROR\]|Exception|Caused by|[A-Za-z_.]*(Error|Exception):)' "$out/plain" ||
    grep -m 1 . "$out/plain" || echo "it failed and did not say why"; } |
    sed -E 's/^.*: line [0-9]+: //; s/^.*(Could not resolve)/\1/; s/^\[ERROR\] //; s/^Exception in thread "[^"]*" //
      s#https?://[^ )]*#the repository#g' | tr '|' '/' | cut -c 1-200
}

lost() { # NAME
  echo "$1,$(why)" >> "$out/lost"
  echo "$1: $(tail -n 1 "$out/lost" | cut -d, -f 2-)" >&2
}

touch "$out/lost" "$out/rows" "$out/who"
for kind in djl dl4j; do
  if [[ " ${peers[*]}" == *" $kind-"* ]] && ! built "$kind" 2> "$out/err"; then
    for peer in "${peers[@]}"; do
      [[ $peer != "$kind-"* ]] || lost "$peer"
    done
  fi
done
# Round 0 has no epochs and is not counted: it finds out which peers work, and warms the file cache.
for round in $(seq 0 "$rounds"); do
  for peer in "${peers[@]}"; do
    ! grep -q "^$peer," "$out/lost" || continue
    start=$EPOCHREALTIME
    if [ "$round" = 0 ]; then
      run "$peer" 0 > "$out/log" 2> "$out/err" || { lost "$peer" && continue; }
      sed -n "s/^peer,/- \`$peer\`: /p" "$out/log" >> "$out/who"
      continue
    fi
    echo "round $round of $rounds: $peer" >&2
    run "$peer" "$epochs" 250,1000,10000 > "$out/log" 2> "$out/err" || { lost "$peer" && continue; }
    awk -F, -v peer="$peer" -v round="$round" -v process="$(elapsed "$start")" '
      $1 == "epoch" { n++; for (i = n; i > 1 && v[i - 1] > $4 + 0; i--) v[i] = v[i - 1]; v[i] = $4 + 0 }
      $1 == "inference" { pass = $2; process -= $4 }
      /^Test set:/ { accuracy = $0; sub(/.*\(/, "", accuracy); sub(/%.*/, "", accuracy) }
      END {
        median = (v[int((n + 1) / 2)] + v[int((n + 2) / 2)]) / 2
        print peer, round, median, process, pass + 0, accuracy + 0
      }' "$out/log" >> "$out/rows"
  done
done

# ---- the table

{
  echo "## 784-${hidden//,/-}-10$([ "$augment" = none ] || echo ", distorted images"): batches of $batch, $epochs epochs, $device; medians, rounds: $rounds"
  echo
  echo "\`$command\`${PEERS:+ (PEERS=\"$PEERS\")}, $(date +%F)$(commit=$(git describe --always --dirty 2> /dev/null) &&
    echo ", commit $commit"). $all processors,$(sed -n 's/^model name.*://p' /proc/cpuinfo | head -n 1), $(uname -sr)$(
    [ "$device" = cpu ] || nvidia-smi -i "$gpu" --query-gpu=name,driver_version --format=csv,noheader 2> /dev/null |
      sed 's/^/, /; s/, \([0-9.]*\)$/, driver \1/'), Java $(
    java -XshowSettings:properties -version 2>&1 | sed -n 's/^ *java.version = //p')."
  echo
  awk -v peers="${peers[*]}" '
    function median(values, range,   n, v, i, j, x) { # the median of "a b c"; with range, "median (min-max)"
      n = split(values, v, " ")
      for (i = 2; i <= n; i++) {
        x = v[i] + 0
        for (j = i; j > 1 && v[j - 1] + 0 > x; j--) v[j] = v[j - 1]
        v[j] = x
      }
      if (!n) return "-"
      x = (v[int((n + 1) / 2)] + v[int((n + 2) / 2)]) / 2
      return range ? sprintf("%.2f (%.2f-%.2f)", x, v[1], v[n]) : x
    }
    function cell(values, factor, digits,   m) {
      m = median(values)
      return m == "-" ? m : sprintf("%." digits "f", m * factor)
    }
    FILENAME ~ /lost$/ { reason[substr($0, 1, index($0, ",") - 1)] = substr($0, index($0, ",") + 1); next }
    {
      for (c = 3; c <= 6; c++) { # epoch, process, inference, accuracy
        if ($c == 0) continue
        all[$1, c] = all[$1, c] " " $c
        if ($1 == "mlp-cuda") ours[$2, c] = $c
        else if (ours[$2, c]) ratios[$1, c] = ratios[$1, c] " " $c / ours[$2, c]
      }
    }
    END {
      format = "| %-17s | %8s | %-18s | %9s | %9s | %-18s | %12s | %-18s | %8s |\n"
      printf format, "peer", "epoch, s", "/ mlp-cuda", "images/s", "process, s", "/ mlp-cuda", "inference, ms", \
        "/ mlp-cuda", "accuracy"
      print "|---|--:|:--|--:|--:|:--|--:|:--|--:|"
      n = split(peers, order, " ")
      for (i = 1; i <= n; i++) {
        p = order[i]
        if (p in reason) {
          printf "| %-17s | not run: %s |\n", p, reason[p]
          continue
        }
        m = median(all[p, 3])
        printf format, p, cell(all[p, 3], 1, 3), p == "mlp-cuda" ? "1" : median(ratios[p, 3], 1), \
          m == "-" ? m : sprintf("%.0f", 60000 / m), cell(all[p, 4], 1, 2), \
          p == "mlp-cuda" ? "1" : median(ratios[p, 4], 1), cell(all[p, 5], 1e3, 2), \
          p == "mlp-cuda" ? "1" : median(ratios[p, 5], 1), cell(all[p, 6], 1, 2) "%"
      }
    }' "$out/lost" "$out/rows"
  echo
  echo "Epoch: the median of all of a run's epochs, the first one, which may compile, too. Process: from its start to"
  echo "its end, with reading the data and the test. Inference: a warm pass over 10,000 images, bytes in memory, the best of"
  echo "batches of 250, 1000 and 10000. Ratios: median (least-greatest) of the rounds'; above 1 mlp-cuda is faster."
  echo
  cat "$out/who"
  echo
} | tee -a "$file"
