#!/usr/bin/env bash
# Compiles cuda/*.cu to cuda/ptx/*.ptx, which is committed: building the jar needs no CUDA.
#
#   scripts/build-ptx.sh        # nvcc 13 (or NVCC=path)
#
# The text is plain enough for PTX ISA 8.0, so its version is lowered to that: drivers from R525 on take it, and so does
# the assembler of the tests. The first line is a hash of the sources; a test compares it with them.
#
# nvcc 13.0.88 is not deterministic: five builds gave gemm.ptx three or four texts, which differ in registers and in how
# vectors are read, now and then with a newer hint, .pragma "used_bytes_mask". No result depends on it, and it is left
# out; the tests run and assemble whichever text is committed.
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

for source in layers gemm fused persistent; do # persistent has no other precision
  compile "$source" "$source" sm_75 FP32
done
for precision in tf32 bf16 fp16; do # tensor cores have these from compute capability 8.0 on
  for source in gemm fused; do
    compile "$source" "${source}_$precision" sm_80 "${precision^^}"
  done
done
