#!/usr/bin/env bash
# Measures mlp-cuda on the GPU of this machine, step by step, in one call. README.md beside it says more.
#
#   bash scripts/gpu/measure.sh [STEP …]   facts start tests trainings peers compare benchmark sanitizer ncu gemm record (default:
#                                          all of these, in this order); or peers.sh, the script scripts/peers.sh
#
#   OUT               the folder for the results (default: target/measured)
#   MEASURE_S         seconds after which no step begins (default: 400); the script ends 15 seconds later at most
#   MEASURE_DEVICE    mlp-cuda's options for the device (default: --gpu 0); --cpu tries the scripts without a GPU
#   MEASURE_TESTS     test classes, separated by spaces (default: the classes with the tag gpu)
#   PYTHON            a Python with PyTorch and JAX (default: python3)
#
# The script writes $OUT/summary.txt, a verdict for each step; report.md, the tables; log.txt, all output; benchmark.json;
# raw.tar.gz, the files that the programs wrote. All of them are complete after each step, also if the script is killed
# later. The exit code is 0 if every step ran and passed, else 1.
# shellcheck source-path=SCRIPTDIR disable=SC2317
set -u
export LC_ALL=C.UTF-8
here=$(cd "$(dirname "$0")" && pwd)
command="bash $0 $*"
OUT=${OUT:-}
[ -z "$OUT" ] || { mkdir -p "$OUT" && OUT=$(cd "$OUT" && pwd); } || exit 1
found=$(mktemp) || exit 1
# shellcheck source=env.sh
. "$here/env.sh" > "$found" 2>&1 || { cat "$found" >&2; exit 1; }
cd "$ROOT" || exit 1
OUT=${OUT:-$ROOT/target/measured}
mkdir -p "$OUT" || exit 1
MEASURE_S=${MEASURE_S:-400}
read -ra DEVICE <<< "${MEASURE_DEVICE:---gpu 0}"
PYTHON=${PYTHON:-python3}
if [ "${DEVICE[0]}" = --gpu ]; then GPU=true PEER_DEVICE=cuda:${DEVICE[1]-0}; else GPU=false PEER_DEVICE=cpu; fi
SUMMARY=$OUT/summary.txt REPORT=$OUT/report.md LOG=$OUT/log.txt
: > "$SUMMARY"; : > "$REPORT"; mv "$found" "$LOG"
exec 3>&1
say() { echo "$*" | tee -a "$SUMMARY" "$LOG" >&3; }
say "mlp-cuda $(cat "$here/commit" 2> /dev/null || git describe --always --dirty --exclude='*' --abbrev=12), $(
  date -u '+%F %T') UTC, $command (MEASURE_DEVICE=${DEVICE[*]} MEASURE_S=$MEASURE_S)"
W=$PACK/scratch
rm -rf "$W"; mkdir -p "$W" # the files of the steps, which go into raw.tar.gz
DEADLINE=$MEASURE_S

# ---- how a step goes

# within SECONDS COMMAND …: runs a command and returns its exit code, or 124 if it took longer or the step has no time left.
within() {
  local seconds=$1 left=$((DEADLINE - SECONDS)); shift
  [ "$left" -ge 1 ] || return 124
  timeout -k 5 "$((seconds < left ? seconds : left))" "$@"
}
program() { within "$1" "$JAVA" -jar "$JAR" "${@:2}"; } # SECONDS ARGUMENT …
left() { [ $((DEADLINE - SECONDS)) -ge "$1" ]; }        # SECONDS: whether the step has so many left
verdict() { echo "$*" > "$W/verdict"; }                 # writes the step's verdict
report() { # SUBCOMMAND …: report.py's first line is the verdict, the rest goes to the report; its exit code
  local code=0
  "$PYTHON" "$here/report.py" "$@" > "$W/reported" || code=$?
  [ -s "$W/reported" ] || echo "no table: $PYTHON failed" > "$W/reported"
  verdict "$(head -n 1 "$W/reported")"
  tail -n +2 "$W/reported" | tee -a "$REPORT"
  return "$code"
}
quoted() { { echo '```'; head -c 100000 "$1"; echo '```'; } >> "$REPORT"; } # FILE: puts a program's output into the report as it is
how() { # CODE: an exit code in words
  case $1 in
    0) echo "ok" ;;
    124) echo "TIMED OUT" ;;
    137) echo "KILLED" ;;
    127) echo "NOT FOUND" ;;
    *) echo "EXIT CODE $1" ;;
  esac
}
gist() { # CODE FILE: the most telling line of an output: the cause of a failure comes first, a result last
  case $1 in
    0 | 1) tail -n 1 "$2" ;;
    *) grep -v 'measure.sh: line' "$2" | grep -m 1 . ;;
  esac 2> /dev/null | cut -c 1-200
}
timed() { # LOG COMMAND …: writes all output to LOG, then the exit code in words if it is not 0, and the time taken
  local log=$1 start=$EPOCHREALTIME code=0; shift
  "$@" > "$log" 2>&1 || code=$?
  {
    [ "$code" = 0 ] || echo "ended: $(how "$code")"
    echo "took $(awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.2f", b - a }')"
  } >> "$log"
  cat "$log"
  return "$code"
}
bundle() { # writes raw.tar.gz anew
  tar -C "$W" --exclude='*.safetensors' --exclude=report.html -czf "$PACK/raw.tar.gz" . 2> /dev/null &&
    cp "$PACK/raw.tar.gz" "$OUT/raw.part" && mv "$OUT/raw.part" "$OUT/raw.tar.gz"
}
clocks() { # the clock rates of the GPU, right after work
  if $GPU; then within 10 nvidia-smi --query-gpu=clocks.sm,clocks.mem,temperature.gpu,power.draw,pstate --format=csv || true; fi
}

# During facts and tests, which measure no times, PyTorch and JAX are loaded into the file cache, and torch.compile keeps
# its results.
warm=
begin_warm_up() {
  # shellcheck disable=SC2016
  XLA_PYTHON_CLIENT_PREALLOCATE=false timeout 150 bash -c '
    for B in 64 1024; do "$0" scripts/peers/pytorch.py --form compile --device "$1" --threads 1 --batch-size $B --epochs 1; done
    "$0" scripts/peers/jax_scan.py --device "$1" --epochs 1' "$PYTHON" "$PEER_DEVICE" > "$W/warm-up.log" 2>&1 &
  warm=$!
}
end_warm_up() {
  [ -n "$warm" ] || return 0
  kill "$warm" 2> /dev/null; wait "$warm" 2> /dev/null
  warm=
}

bad=0 skipped='' running=''
step() { # NAME SECONDS TITLE: runs step_NAME in a process of its own, so that its failure does not end the others
  local name=$1 seconds=$2 start=$SECONDS code=0
  case $name in facts | tests) ;; *) end_warm_up ;; esac
  if [ "$SECONDS" -ge "$MEASURE_S" ]; then skipped+=" $name"; return; fi
  DEADLINE=$((SECONDS + seconds))
  [ "$DEADLINE" -le $((MEASURE_S + 15)) ] || DEADLINE=$((MEASURE_S + 15))
  rm -f "$W/verdict"
  printf '\n######## %s, %d s after the start\n' "$name" "$SECONDS" >> "$LOG"
  printf '\n## %s\n\n' "$3" >> "$REPORT"
  ( "step_${name//[^a-z]/_}" ) >> "$LOG" 2>&1 < /dev/null &
  running=$!
  wait "$running" || code=$? # "wait" returns at once when a signal arrives
  [ "$code" = 0 ] || bad=1
  say "$(printf '%-10s %s: %s (%d s)' "$name" "$([ "$code" = 0 ] && echo ok || echo NOT OK)" "$(
    cat "$W/verdict" 2> /dev/null || how "$code")" $((SECONDS - start)))"
  bundle
}

has() { [ ! -e "$PACK/no-$1" ]; } # cublas|cudnn: whether the library is here and did not fail in the step facts
choose_libraries() {
  local use=()
  if has cublas; then use+=(cublas); fi
  if has cudnn; then use+=(cudnn); fi
  use_libraries "${use[@]}"
}

# A library or tool that is missing is reported as not available, which is not a failure.
PERSISTENT=false
[ -n "$CUBLAS" ] || touch "$PACK/no-cublas"
[ -n "$CUDNN" ] || touch "$PACK/no-cudnn"
choose_libraries
if $GPU; then
  [ -n "$CUBLAS" ] || say "cuBLAS is not available: no libcublas.so.13 or libcublas.so.12 was found"
  [ -n "$CUDNN" ] || say "cuDNN is not available: no libcudnn.so.9 was found"
  if program 30 help train 2>&1 | tr -d ' \n' | grep -q -- '--step=[a-z|]*persistent'; then PERSISTENT=true
  else say "persistent is not available: this program's --step does not know it"; fi
fi

# shellcheck source=steps.sh
. "$here/steps.sh"

# ---- all of it

finish() {
  end_warm_up
  [ -z "$skipped" ] || { bad=1; say "skipped, the $MEASURE_S s were used up:$skipped"; }
  say "ended after $SECONDS s, $([ $bad = 0 ] && echo "all steps are ok" || echo "NOT ALL STEPS ARE OK")"
  echo; sed -n '/^## Trainings/,/^## Compare/p' "$REPORT" | grep '^[|B]' | head -c 7000
  echo; cat "$SUMMARY"
  exit "$bad"
}
trap 'kill "$running" 2> /dev/null; end_warm_up; say "told to end after $SECONDS s"; bundle; exit 1' TERM INT

[ $# -gt 0 ] || set -- facts start tests trainings peers compare benchmark sanitizer ncu gemm record
[[ " $* " != *" peers "* ]] || begin_warm_up
for name in "$@"; do
  case $name in
    facts) step facts 80 "Machine" ;;
    start) step start 60 "Start: processes of one step and an evaluation" ;;
    tests) step tests 100 "Tests on the GPU" ;;
    trainings) step trainings 100 "Trainings: ten epochs of the default preset" ;;
    peers) step peers 100 "Peers" ;;
    compare) step compare 70 "Compare" ;;
    benchmark) step benchmark 85 "Benchmark" ;;
    sanitizer) step sanitizer 110 "compute-sanitizer: 30 steps and an evaluation" ;;
    ncu) step ncu 60 "ncu: kernels of the fused step" ;;
    gemm) step gemm 110 "Products: 1024 to 16384 examples, the largest network, square ones" ;;
    record) step record 120 "Distorted images: throughput, and the presets distorted and record" ;;
    peers.sh) step peers.sh 280 "scripts/peers.sh" ;;
    *) say "no step $name"; bad=1 ;;
  esac
done
finish
