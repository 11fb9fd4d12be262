#!/usr/bin/env bash
# What each kernel takes of a multiprocessor, by architecture, as a table: registers of a thread, shared memory of a
# block, and bytes spilled. From the PTX that ships, by the assembler of CUDA (PTXAS=path).
#
#   scripts/kernel-table.sh > benchmarks/results/kernels.md
set -euo pipefail
cd "$(dirname "$0")/.."
ptxas=${PTXAS:-ptxas}
architectures=(sm_75 sm_80 sm_86 sm_89 sm_90)
echo "# Kernels"
echo
echo "\`scripts/kernel-table.sh\`, $(date +%F), $("$ptxas" --version | sed -n 's/.*release \([0-9.]*\), V\(.*\)/ptxas \2/p'). Registers of a thread; bytes of static shared"
echo "memory of a block (the most of the architectures); bytes spilled to local memory, stores and loads together."
echo
echo "| module | kernel | threads | shared | registers: ${architectures[*]} | spilled |"
echo "|---|---|--:|--:|---|--:|"
for ptx in cuda/ptx/*.ptx; do
  for architecture in "${architectures[@]}"; do
    if [[ "$architecture" < "$(sed -n 's/^\.target //p' "$ptx")" ]]; then
      echo "Older $architecture"
    else
      "$ptxas" -v -arch="$architecture" "$ptx" -o /dev/null 2>&1
    fi
  done | awk -v ptx="$ptx" '
    BEGIN {
      while ((getline line < ptx) > 0) {
        if (match(line, /\.entry [a-z_0-9]+/)) { entry = substr(line, RSTART + 7, RLENGTH - 7) }
        if (match(line, /\.maxntid [0-9]+/)) { threads[entry] = substr(line, RSTART + 9, RLENGTH - 9) }
      }
      sub(/.*\//, "", ptx)
    }
    /^Older / { older = older " -" }
    /Function properties for/ { kernel = $NF }
    /spill stores/ { for (i = 1; i < NF; i++) if ($i == "bytes" && $(i + 1) == "spill") spilled[kernel] += $(i - 1) }
    /Used [0-9]+ registers/ {
      for (i = 1; i < NF; i++) {
        if ($i == "Used") registers[kernel] = registers[kernel] " " $(i + 1)
        if ($(i + 1) ~ /^smem/) { bytes = $(i - 1); if (bytes + 0 > shared[kernel]) shared[kernel] = bytes + 0 }
      }
    }
    END {
      for (kernel in registers) {
        printf "| %s | `%s` | %d | %d |%s | %d |\n", ptx, kernel, threads[kernel], shared[kernel], older registers[kernel], spilled[kernel]
      }
    }' | LC_ALL=C sort
done
