#!/usr/bin/env bash
# Assembles the committed PTX with CUDA's assembler and prints tables of what each kernel takes of a multiprocessor, by
# architecture: registers of a thread, shared memory of a block, blocks that fit, bytes spilled. If cuobjdump is found,
# other tables have the loads of the machine code, the number of groups in which they wait for one another, and the loops
# of products.
#
#   scripts/kernel-table.sh [KERNEL …] > benchmarks/results/kernels.md
#
# PTXAS=path and CUOBJDUMP=path name the tools; by default they are looked up on PATH. The script needs Python 3.8 or
# newer, and some minutes.
set -euo pipefail
cd "$(dirname "$0")/.."
ptxas=${PTXAS:-ptxas} cuobjdump=${CUOBJDUMP:-cuobjdump}
if [ -z "${CUOBJDUMP-}" ] && ! command -v "$cuobjdump" > /dev/null; then cuobjdump=; fi
python3 -B -m doctest scripts/kernel_table.py # a parser that fails its own examples must not make a table
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp cuda/ptx/*.ptx "$work"
for ptx in "$work"/*.ptx; do
  for architecture in sm_75 sm_80 sm_86 sm_89 sm_90; do
    [[ ! "$architecture" < "$(sed -n 's/^\.target //p' "$ptx")" ]] || continue
    made=${ptx%.ptx}.$architecture
    "$ptxas" -v -arch="$architecture" "$ptx" -o "$work/cubin" 2> "$made.log" || { cat "$made.log" >&2 && exit 1; }
    [ -z "$cuobjdump" ] || "$cuobjdump" -sass "$work/cubin" > "$made.sass"
  done
done
release() { "$1" --version | sed -n "s/.*release [0-9.]*, V\(.*\)/, $2 \1/p"; }
echo "# Kernels"
echo
echo "\`scripts/kernel-table.sh${*:+ $*}\`, $(date +%F)$(release "$ptxas" ptxas)$([ -z "$cuobjdump" ] || release "$cuobjdump" cuobjdump), sources $(
  sed -n '1s/.*sha256 \(............\).*/\1/p' cuda/ptx/fused.ptx). Registers of a thread; bytes of static"
echo "shared memory of a block (the most of the architectures); blocks that fit on a multiprocessor (≤: before the dynamic shared"
echo "memory that a launch adds); bytes spilled to local memory, stores and loads together."
for earlier in benchmarks/results/kernels-*.md; do
  [ ! -f "$earlier" ] || echo "Kernels of an earlier commit: \`${earlier##*/}\`."
done
echo
python3 scripts/kernel_table.py "$work" "$@"
