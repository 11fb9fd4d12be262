# shellcheck shell=bash disable=SC2016,SC2154
# measure.sh sources this file, which has its steps: each is a function step_NAME, runs in a process of its own, sets its
# verdict, and adds its tables to the report.

machine() { # prints the hardware and the versions of the software
  {
    date -u '+%F %T UTC'; uname -srm; nproc
    sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1; grep MemTotal /proc/meminfo
    within 20 nvidia-smi || echo "nvidia-smi: $(how $?)"
    within 20 nvidia-smi --query-gpu=name,driver_version,memory.total,clocks.max.sm,clocks.max.memory,power.limit,compute_mode,mig.mode.current --format=csv
    for tool in nvcc ncu compute-sanitizer; do within 10 "$tool" --version 2>&1 | tail -n 2 || echo "$tool: not found"; done
    within 10 "$PYTHON" -c '
import importlib.metadata, sys
print("Python", sys.version.split()[0])
for name in "torch jax jaxlib triton numpy nvidia-cublas nvidia-cudnn-cu13".split():
    try: print(name, importlib.metadata.version(name))
    except importlib.metadata.PackageNotFoundError: print(name, "is missing")'
    echo "cuBLAS ${CUBLAS:-none}, cuDNN ${CUDNN:-none}, libraries that Java lacks: $(cat "$PACK/fallback")"
    "$JAVA" -version
    program 20 --version
  } 2>&1 | tee "$W/facts.txt"
  quoted "$W/facts.txt"
}

step_facts() {
  local name options code=0 ok=0 n=0
  machine
  # Takes one step in each way, all ways at once, to see which work. A library that fails is left out of later steps.
  local layered="--step layered --feed pinned"
  local ways=("auto|" "ptx|$layered --gemm ptx" "fused|--step fused --feed pinned" "resident|--step fused --feed resident"
    "bf16|$layered --precision bf16" "tf32|$layered --precision tf32" "fp16|$layered --precision fp16")
  if [ -n "$CUBLAS" ]; then ways+=("cublas|$layered --gemm cublas") && rm -f "$PACK/no-cublas"; fi
  if [ -n "$CUDNN" ]; then ways+=("cudnn|$layered --kernels cudnn") && rm -f "$PACK/no-cudnn"; fi
  if $PERSISTENT; then ways+=("persistent|--step persistent --feed resident"); fi
  $GPU || ways=("auto|" "bf16|--precision bf16")
  choose_libraries
  for way in "${ways[@]}"; do
    IFS='|' read -r name options <<< "$way"
    # shellcheck disable=SC2086
    { program 30 "${DEVICE[@]}" $options --dry-run; echo $? > "$W/try-$name.code"; } > "$W/try-$name.log" 2>&1 &
  done
  wait
  for way in "${ways[@]}"; do
    IFS='|' read -r name options <<< "$way"
    code=$(cat "$W/try-$name.code" 2> /dev/null || echo 1) n=$((n + 1))
    if [ "$code" != 0 ]; then # the other ways may have made this way fail, so it runs once more, alone
      # shellcheck disable=SC2086
      program 15 "${DEVICE[@]}" $options --dry-run > "$W/try-$name.log" 2>&1; code=$?
      echo "$code" > "$W/try-$name.code"
    fi
    [ "$code" != 0 ] || ok=$((ok + 1))
    echo "try $name: $(how "$code")"; cat "$W/try-$name.log"
    echo "$name: $(how "$code")$([ "$code" = 0 ] || echo ", $(gist "$code" "$W/try-$name.log")")" >> "$W/tried.txt"
  done
  quoted "$W/tried.txt"
  if $GPU && [ -n "$CUBLAS" ] && [ "$(cat "$W/try-cublas.code")" != 0 ]; then touch "$PACK/no-cublas"; fi
  if $GPU && [ "$(cat "$W/try-cudnn.code")" -gt 128 ]; then touch "$PACK/no-cudnn"; fi
  choose_libraries
  code=0
  program 30 devices > "$W/devices.txt" 2>&1 || code=$?
  cat "$W/devices.txt"; quoted "$W/devices.txt"
  program 30 devices --json > "$W/devices.json"
  name=$(within 20 nvidia-smi --query-gpu=name,driver_version --format=csv,noheader 2> /dev/null | head -n 1)
  verdict "${name:-no nvidia-smi}; $ok of $n ways take a step$([ "$ok" = "$n" ] || echo "; $(grep -v ': ok$' "$W/tried.txt" | head -n 2 | tr '\n' ';')")$(
    [ -z "$CUBLAS" ] || has cublas || echo "; cuBLAS IS LEFT OUT of what follows")$([ -z "$CUDNN" ] || has cudnn || echo "; cuDNN IS LEFT OUT of what follows"); devices: $(how "$code"), checks right: $(
    grep -c ': right,' "$W/devices.txt"), WRONG: $(grep -c ': WRONG,' "$W/devices.txt")"
  [ "$ok" = "$n" ] && [ "$code" = 0 ]
}

# started NAME REPEATS JAR CACHE OPTIONS: times whole processes of one step and an evaluation. CACHE is "off", the driver
# keeps nothing of what it compiles, or "warm", the driver has compiled all of it in an earlier process.
started() {
  local name=$1 repeats=$2 jar=$3 cache=$4 options=$5 of=$W/start/$1 run first=1
  echo "${options:-auto}|$([ "$jar" = "$JAR" ] && echo jar || echo PTX)|$cache" > "$of.way"
  [ "$cache" = off ] || first=0 # run 0 fills the cache and is not counted
  for run in $(seq "$first" "$repeats"); do
    left 3 || return 0
    # shellcheck disable=SC2086
    timed "$of-$run.log" within 25 env CUDA_CACHE_DISABLE="$([ "$cache" = off ] && echo 1 || echo 0)" \
      "$JAVA" -jar "$jar" "${DEVICE[@]}" $options --dry-run --verbose
  done
  rm -f "$of-0.log"
}

# A copy of the jar without machine code makes the driver compile PTX. The driver's variable CUDA_FORCE_PTX_JIT would
# also make it refuse the machine code of cuBLAS.
step_start() {
  local cubins ptx=$PACK/mlp-cuda-ptx.jar code=0
  mkdir -p "$W/start"
  cubins=$("$PYTHON" - "$JAR" "$ptx" << 'PYTHON'
import sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as whole, zipfile.ZipFile(sys.argv[2], "w") as part:
    cubins = 0
    for entry in whole.infolist():
        if entry.filename.endswith(".cubin"):
            cubins += 1
        else:
            part.writestr(entry, whole.read(entry))
    print(cubins)
PYTHON
  ) || return
  if ! $GPU; then
    started 1 1 "$JAR" off ""
    started 2 1 "$ptx" off ""
  else
    started 01 3 "$JAR" off "--step fused"
    [ "$cubins" = 0 ] || started 02 2 "$ptx" off "--step fused"
    started 03 3 "$JAR" warm "--step fused"
    started 04 2 "$JAR" off ""
    started 05 2 "$JAR" warm ""
    if $PERSISTENT; then
      started 06 2 "$JAR" off "--step persistent --feed resident"
      [ "$cubins" = 0 ] || started 07 1 "$ptx" off "--step persistent --feed resident"
    fi
    started 08 2 "$JAR" off "--step layered --gemm ptx"
    [ "$cubins" = 0 ] || started 09 1 "$ptx" off "--step layered --gemm ptx"
    [ "$cubins" = 0 ] || started 10 2 "$ptx" warm "--step fused"
  fi
  report start "$W/start" "$cubins" || code=$?
  rm -f "$ptx"
  return "$code"
}

run_tests() { # NAME CLASS: runs a test class; JUnit writes each result to NAME.log at once
  within "$((DEADLINE - SECONDS - 6))" "$JAVA" --enable-native-access=ALL-UNNAMED -jar "$JUNIT" execute --disable-banner \
    --disable-ansi-colors --details=testfeed -cp "$TEST_PATH" --select-class "$2" > "$W/$1.log" 2>&1
  echo $? > "$W/$1.code"
}

step_tests() {
  local class name logs=() pids=() classes=${MEASURE_TESTS:-$TESTS}
  if [ -z "$JUNIT" ] || [ -z "$classes" ]; then verdict "there are no tests here: log.txt says why"; return 1; fi
  for class in $classes; do # all classes at once, each in a JVM of its own
    name=tests-${class##*.} logs+=("$W/tests-${class##*.}.log")
    run_tests "$name" "$class" &
    pids+=($!)
  done
  wait "${pids[@]}"
  for class in $classes; do # a crash in a library of NVIDIA ends the JVM before its other tests
    name=tests-${class##*.}
    if [ "$(cat "$W/$name.code")" -gt 128 ] && left 20; then
      mv "$W/$name.log" "$W/$name-crashed.log"; cat "$W/$name-crashed.log"
      echo "$class: $(how "$(cat "$W/$name.code")"); once more without cuBLAS and cuDNN" | tee -a "$REPORT"
      use_libraries; run_tests "$name" "$class"; choose_libraries
    fi
  done
  grep -hvE '^\s+at |^$' "${logs[@]}"
  report tests "${logs[@]}"
}

# Adds every way of --step and --feed for a batch size, the default first: they show whether `auto` chooses well.
every_way() { # BATCH-SIZE
  local way ways=("" "--step fused --feed pinned" "--step fused --feed resident")
  if has cublas; then ways+=("--step layered --gemm cublas --feed pinned"); fi
  if $PERSISTENT; then ways+=("--step persistent --feed resident"); fi
  ways+=("--step layered --gemm ptx --feed pinned")
  if has cublas; then ways+=("--step layered --gemm cublas --feed resident"); fi
  ways+=("--step layered --gemm ptx --feed resident")
  for way in "${ways[@]}"; do
    if [ "$1" != 64 ]; then way="--batch-size $1${way:+ $way}"; fi
    WAYS+=("$way")
  done
}

all_ways() {
  local precision batch way
  WAYS=()
  if ! $GPU; then WAYS=("" "--precision bf16" "--batch-size 1024" "--step fused"); return; fi # the last way must fail
  every_way 64; every_way 1024; every_way 128
  WAYS+=("") # the default again, to see how much two equal runs differ
  way=ptx # the faster kind of products, to see up to which batch fused steps are faster
  if has cublas; then way=cublas; fi
  for batch in 256 512; do
    WAYS+=("--batch-size $batch --step layered --gemm $way --feed pinned" "--batch-size $batch --step fused --feed pinned")
  done
  for precision in bf16 tf32 fp16; do
    WAYS+=("--step fused --feed pinned --precision $precision" "--step layered --feed pinned --precision $precision")
  done
  WAYS+=("--step fused --feed pinned --no-graph" "--step layered --feed pinned --no-graph"
    "--step fused --feed pinned --steps-per-launch 1" "--step fused --feed pinned --steps-per-launch 32"
    "--batch-size 1024 --step layered --feed pinned --precision bf16")
  if has cudnn; then WAYS+=("--step layered --feed pinned --kernels cudnn"); fi
  if $PERSISTENT; then WAYS+=("--step persistent --feed resident --steps-per-launch 25"); fi
}

step_trainings() {
  local n=0 way at code=0
  mkdir -p "$W/trainings"
  all_ways
  for way in "${WAYS[@]}"; do
    n=$((n + 1)) at=$W/trainings/$(printf %02d $n)
    echo "$way" > "$at.way"
    if ! left 4; then echo "no time was left" > "$at.log"; continue; fi
    echo "== ${way:-auto}"
    # shellcheck disable=SC2086
    timed "$at.log" program 25 "${DEVICE[@]}" $way --epochs 10 --verbose --overwrite --out "$at"
  done
  clocks
  report auto "$W/trainings"
  say "$(printf '%-10s %s' auto "$(cat "$W/verdict")")"
  report trainings "$W/trainings" || code=$?
  return "$code"
}

step_peers() {
  local code=0 seconds=$((DEADLINE - SECONDS - 4)) more=()
  if $PERSISTENT; then more=(--persistent); fi
  within "$seconds" "$PYTHON" "$here/peers.py" --device "$PEER_DEVICE" --ours="${DEVICE[*]}" --jar "$JAR" --python "$PYTHON" \
    --epochs "$($GPU && echo 10 || echo 6)" --seconds "$((seconds - 2))" "${more[@]}" --rows "$W/peers.csv" \
    --table "$W/peers.md" > "$W/peers.log" 2>&1 || code=$?
  cat "$W/peers.log"; clocks
  cat "$W/peers.md" >> "$REPORT"
  verdict "$(tail -n 1 "$W/peers.log" | cut -c 1-900)$([ "$code" -lt 124 ] || how "$code")"
  return "$code"
}

step_peers_sh() { # runs scripts/peers.sh, which prints nothing before its rounds are complete
  local code=0 peers="mlp-cuda mlp-cuda-resident pytorch-eager pytorch-graph jax" on=("${DEVICE[@]}")
  $GPU || peers="mlp-cuda pytorch-1 jax" on=(--cpu)
  for batch in ${MEASURE_BATCHES:-64 1024}; do
    JAR=$JAR PYTHON=$PYTHON PEERS=$peers within 300 bash scripts/peers.sh "${on[@]}" "$batch" 10 "${MEASURE_ROUNDS:-1}" > "$W/peers-$batch.md" || code=$?
    tee -a "$REPORT" < "$W/peers-$batch.md"
  done
  verdict "$(how "$code")"
  return "$code"
}

each() { # NAME SECONDS ARGUMENT …: runs a command of mlp-cuda and puts its output into the report
  local name=$1 code=0
  program "$2" "${@:3}" > "$W/$name.txt" 2>&1 || code=$?
  printf '\n`%s`\n\n' "${*:3}" | tee -a "$REPORT"; cat "$W/$name.txt"; quoted "$W/$name.txt"
  verdict "$(cat "$W/verdict" 2> /dev/null)$name: $(how "$code"), $(gist "$code" "$W/$name.txt" | sed -E 's/^.*( agrees| is WRONG)/it\1/'); "
  return "$code"
}

step_compare() {
  local code=0
  each compare 40 compare "${DEVICE[@]}" || code=1
  $GPU || return "$code"
  each compare-fused 40 compare "${DEVICE[@]}" --step fused || code=1
  if $PERSISTENT; then each compare-persistent 40 compare "${DEVICE[@]}" --step persistent --feed resident || code=1; fi
  each compare-layered 40 compare "${DEVICE[@]}" --step layered --gemm ptx || code=1
  if has cudnn; then each compare-cudnn 40 compare "${DEVICE[@]}" --step layered --kernels cudnn || code=1; fi
  each compare-bf16 40 compare "${DEVICE[@]}" --step fused --precision bf16 || code=1
  return "$code"
}

step_benchmark() { # a row gets less than half of the default's time, because the document is written at the end
  local code=0
  each benchmark $((DEADLINE - SECONDS)) benchmark "${DEVICE[@]}" --presets 128x64 --batch-sizes 64,128,1024,16384 \
    --seconds 0.04 --out "$OUT/benchmark.json" || code=$?
  verdict "$(how "$code")$([ "$code" = 0 ] || echo ", $(gist "$code" "$W/benchmark.txt")"); rows: $(grep -cE ' (training|inference) +[0-9]+ ' "$W/benchmark.txt"), of them WRONG: $(
    grep -c WRONG "$W/benchmark.txt"), not measured: $(grep -c 'not measured' "$W/benchmark.txt"); $(grep -m 1 '^At most' "$W/benchmark.txt")"
  return "$code"
}

step_record() { # distorted images: throughput with and without, and what the presets that learn from them reach
  local code=0 list some=()
  $GPU || some=(--max-steps 20)
  for list in none elastic:37:5.5,rotate:12,scale:15,shear:10,translate:1; do
    each "benchmark-${list%%:*}" 40 benchmark "${DEVICE[@]}" --hidden 1000,500 --batch-sizes 256 --augment "$list" --seconds 0.04 || code=1
  done
  each distorted 60 train "${DEVICE[@]}" --preset distorted --test-at-end --overwrite --out "$W/distorted" "${some[@]}" || code=1
  each record $((DEADLINE - SECONDS)) train "${DEVICE[@]}" --preset record --test-at-end --overwrite --out "$W/record" "${some[@]}" || code=1
  return "$code"
}

# with_libraries SECONDS TOOL …: runs a tool that needs the java binary and not the script JAVA
with_libraries() { within "$1" bash -c '. "$0/libraries"; exec "$@"' "$PACK" "${@:2}"; }

step_sanitizer() {
  local tool name options code=0 logs=()
  command -v compute-sanitizer > /dev/null || { verdict "no compute-sanitizer here"; return 1; }
  mkdir -p "$W/sanitizer"
  while IFS='|' read -r tool name options; do
    if [ "$name" = persistent ] && ! $PERSISTENT; then continue; fi
    left 10 || { echo "no time was left for $tool of $name" | tee -a "$REPORT"; continue; }
    logs+=("$W/sanitizer/$tool-$name.log") code=0
    # shellcheck disable=SC2086
    with_libraries 40 compute-sanitizer --tool "$tool" --target-processes all \
      --show-backtrace no --print-limit 20 "$RUNTIME/bin/java" -jar "$JAR" "${DEVICE[@]}" $options --subset 640 --epochs 3 \
      --overwrite --out "$W/sanitizer/run" 2>&1 | head -c 200000 > "${logs[-1]}"
    code=${PIPESTATUS[0]}
    [ "$code" = 0 ] || echo "took too long or failed: $(how "$code")" >> "${logs[-1]}"
    echo "== $tool $name"; cat "${logs[-1]}"
  done << 'RUNS'
memcheck|fused|--step fused --feed pinned --no-graph
memcheck|persistent|--step persistent --feed resident
racecheck|fused|--step fused --feed resident --no-graph
racecheck|persistent|--step persistent --feed resident
memcheck|layered|--step layered --gemm ptx --feed pinned --no-graph
racecheck|layered|--step layered --gemm ptx --feed pinned --no-graph
memcheck|bf16|--step fused --feed pinned --no-graph --precision bf16
racecheck|bf16|--step fused --feed pinned --no-graph --precision bf16
synccheck|fused|--step fused --feed pinned --no-graph
synccheck|persistent|--step persistent --feed resident
initcheck|fused|--step fused --feed pinned --no-graph
RUNS
  report sanitizer "${logs[@]}"
}

# profiled FILE "NCU'S OPTIONS" ARGUMENT …: profiles the kernels of a run, with clocks and caches as in a usual run
METRICS=gpu__time_duration.sum,launch__registers_per_thread
MORE=$METRICS,launch__occupancy_limit_registers,sm__warps_active.avg.pct_of_peak_sustained_active
MORE=$MORE,sm__maximum_warps_per_active_cycle_pct,dram__bytes_read.sum,dram__bytes_write.sum,lts__t_bytes.sum
MORE=$MORE,sm__throughput.avg.pct_of_peak_sustained_elapsed
profiled() {
  local file=$1 options=$2; shift 2
  # shellcheck disable=SC2086
  with_libraries 40 ncu --target-processes all --clock-control none --cache-control none \
    $options --csv --page raw "$RUNTIME/bin/java" -jar "$JAR" "${DEVICE[@]}" --overwrite --out "$W/ncu-run" "$@" > "$file" 2>&1
  local code=$?
  [ "$code" = 0 ] || echo "ended: $(how "$code")" >> "$file"
  tail -n 60 "$file"
}

step_ncu() {
  local code=0 kernels="--kernel-name regex:fused --launch-skip 30 --launch-count 9" told=
  command -v ncu > /dev/null || { verdict "no ncu here"; return 1; }
  profiled "$W/ncu-fused.csv" "$kernels --metrics $MORE" --step fused --feed pinned --no-graph --max-steps 20
  if ! grep -q '^"[0-9]' "$W/ncu-fused.csv"; then # this ncu may not know one of the metrics
    profiled "$W/ncu-fused.csv" "$kernels --metrics $METRICS" --step fused --feed pinned --no-graph --max-steps 20
  fi
  report ncu "$W/ncu-fused.csv" || code=1
  told=$(cat "$W/verdict")
  if $PERSISTENT && left 8; then
    echo | tee -a "$REPORT"
    profiled "$W/ncu-persistent.csv" "--kernel-name regex:persistent --launch-count 3 --metrics $METRICS" \
      --step persistent --feed resident --steps-per-launch 100 --max-steps 300
    report ncu "$W/ncu-persistent.csv" || code=1
    told+="; persistent, 100 steps a launch: $(cat "$W/verdict")"
  fi
  verdict "$told"
  return "$code"
}

# The first layer of the preset `tuned` multiplies 16384x784 by 784x512 in batches of 16384. `benchmark` measures such
# steps, shorter batches, the largest network, and square products, in each precision with each GEMM; ncu, if it is
# found, measures the time of each product alone.
step_gemm() {
  local network name precision gemm code=0 logs=() told='' gemms=(ptx)
  if has cublas; then gemms+=(cublas); fi
  mkdir -p "$W/gemm"
  if ! $GPU; then each gemm 60 benchmark "${DEVICE[@]}" --presets tuned --batch-sizes 1024 --seconds 0.02; return; fi
  if command -v ncu > /dev/null; then
    for gemm in "${gemms[@]}"; do
      profiled "$W/gemm/ncu-$gemm.csv" "--launch-count 60 --metrics $METRICS" \
        --preset tuned --batch-size 16384 --step layered --gemm "$gemm" --feed resident --no-graph --max-steps 3
      echo "--gemm $gemm, each kernel of three steps of \`tuned\` in batches of 16384:" | tee -a "$REPORT"; echo >> "$REPORT"
      report ncu "$W/gemm/ncu-$gemm.csv" $((2 * 16384 * 512 * 784)) || code=1
      told+="$gemm $(cat "$W/verdict"); "; echo >> "$REPORT"
    done
  fi
  for network in "--presets tuned --batch-sizes 1024,4096,16384" "--hidden 2500,2000,1500,1000,500 --batch-sizes 4096"; do
    name=tuned
    [[ $network = --presets* ]] || name=largest
    for precision in fp32 bf16 tf32 fp16; do
      for gemm in "${gemms[@]}"; do
        left 5 || { told+="no time for $name $precision $gemm; "; continue; }
        each "gemm/$name-$precision-$gemm" 30 benchmark "${DEVICE[@]}" $network --gemm "$gemm" \
          --precision "$precision" --kernels ptx --step layered --feed resident --seconds 0.05 || code=1
        logs+=("$W/gemm/$name-$precision-$gemm.txt")
      done
    done
  done
  report peaks "${logs[@]}" || code=1
  verdict "$told$(cat "$W/verdict")"
  return "$code"
}

