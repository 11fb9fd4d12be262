#!/usr/bin/env bash
# Compiles cuda/*.cu to cuda/ptx/*.ptx. The PTX is committed, so that building the jar needs no CUDA.
#
#   scripts/build-ptx.sh        # nvcc 13 (or NVCC=path)
#
# The generated PTX uses nothing newer than PTX ISA 8.0, so the script lowers its version to 8.0: drivers from R525 on
# accept that, and so does the assembler of the tests. The first line holds a hash of the sources, which a test checks.
#
# nvcc 13.0.88 is not deterministic: five builds of gemm.ptx gave three or four texts, which differ in registers and in
# how vectors are read. Some have the hint .pragma "used_bytes_mask" of a newer ISA; no result depends on the hint, and
# the script removes it. The tests run and assemble the text that is committed.
set -euo pipefail
cd "$(dirname "$0")/../cuda"
nvcc=${NVCC:-nvcc}
stamp=$(cat $(ls ./*.cu ./*.cuh | LC_ALL=C sort) | sha256sum | cut -d ' ' -f 1)
mkdir -p ptx

compile() { # source, module, architecture, precision of products' operands
  "$nvcc" -ptx -arch="$3" -D MODULE_PRECISION="$4" -O3 -std=c++17 -Werror all-warnings -o "ptx/$2.tmp" "$1.cu"
  {
    echo "// sources: sha256 $stamp (scripts/build-ptx.sh)"
    sed -E 's/^\.version .*/.version 8.0/; /^\s*\.pragma "used_bytes_mask /d' "ptx/$2.tmp"
  } > "ptx/$2.ptx"
  rm "ptx/$2.tmp"
  echo "cuda/ptx/$2.ptx: $(grep -c "\.entry " "ptx/$2.ptx") entries"
}

for source in layers distort gemm fused persistent; do # the persistent kernel exists in fp32 alone
  compile "$source" "$source" sm_75 FP32
done
compile large large sm_75 FP32
compile large large_async sm_80 FP32
for precision in tf32 bf16 fp16; do # tensor cores support these from compute capability 8.0 on
  for source in gemm fused; do
    compile "$source" "${source}_$precision" sm_80 "${precision^^}"
  done
done
