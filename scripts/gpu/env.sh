# shellcheck shell=bash disable=SC2034
# Sourced by measure.sh, and by whoever wants its surroundings (`. scripts/gpu/env.sh && $JAVA -jar $JAR devices`). Sets
#
#   ROOT    the project
#   PACK    a folder for all that is made here (GPU_PACK, default ROOT/target/gpu)
#   JAVA    a java that finds NVIDIA's libraries; it is first on PATH too. LD_LIBRARY_PATH stays as it was: Python's
#           PyTorch and JAX bring their own
#   RUNTIME the folder of that Java
#   JAR     the program
#   JUNIT   JUnit's console, TEST_PATH the class path of the tests, TESTS those of tag gpu; empty where there are none
#
# Without more it takes the Java on PATH (or JAVA_HOME) and what `mvn -q -DskipTests package` made. For a machine without
# Java or network these may lie beside it, and are taken: jre.tar.xz, a runtime in a folder `jre`, with fallback/, libraries
# that Java lacks; mlp-cuda.jar, without MNIST, which the tree has; tests.jar, tests.list, junit.jar; shim/libcublas.so.12,
# which forwards to a newer cuBLAS; tree/, the project, where it is not around.
#
# use_libraries cublas cudnn|cublas|cudnn|"" says anew which of them JAVA finds.
gpu=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
for ROOT in "$gpu/tree" "$gpu/.." "$gpu/../.."; do [ ! -f "$ROOT/scripts/peers.sh" ] || break; done
ROOT=$(cd "$ROOT" && pwd)
PACK=${GPU_PACK:-$ROOT/target/gpu}
JAVA=$PACK/bin/java JAR=$ROOT/target/mlp-cuda.jar JUNIT='' TEST_PATH='' TESTS=''
mkdir -p "$PACK/bin" "$PACK/scratch"

find_runtime() { # the one beside this file, unpacked once, or else this machine's
  : >> "$PACK/fallback"
  if [ ! -f "$gpu/jre.tar.xz" ]; then
    local java=${JAVA_HOME:+$JAVA_HOME/bin/java}
    [ -n "$java" ] || java=$(PATH=${PATH//$PACK\/bin:/} command -v java) || return
    RUNTIME=$(dirname "$(dirname "$(readlink -f "$java")")")
    return
  fi
  local stamp
  stamp=$(cksum < "$gpu/jre.tar.xz") RUNTIME=$PACK/jre
  [ "$(cat "$PACK/stamp" 2> /dev/null)" != "$stamp" ] || return 0
  rm -rf "$RUNTIME"
  tar -C "$PACK" -xf "$gpu/jre.tar.xz" 2> /dev/null || # tar needs xz for this
    python3 -c 'import sys, tarfile; tarfile.open(sys.argv[1]).extractall(sys.argv[2])' "$gpu/jre.tar.xz" "$PACK" || return
  : > "$PACK/fallback"
  "$RUNTIME/bin/java" -version 2> /dev/null || echo ":$RUNTIME/fallback" > "$PACK/fallback"
  use_libraries # none: Java's own start
  # shellcheck source=/dev/null
  (. "$PACK/libraries" && "$RUNTIME/bin/java" -Xshare:dump > "$PACK/share.log" 2>&1) # classes to share, as a JDK has them
  echo "$stamp" > "$PACK/stamp"
}

find_program() { # a jar beside this file gets the tree's MNIST back: scripts and tests expect the whole one
  if [ ! -f "$gpu/mlp-cuda.jar" ]; then
    [ -f "$JAR" ] || { echo "there is no $JAR: mvn -q -DskipTests package makes it" && return 1; }
    return
  fi
  JAR=$PACK/mlp-cuda.jar
  python3 - "$gpu/mlp-cuda.jar" "$ROOT/src/main/resources" "$JAR" << 'PYTHON' && return
import os, pathlib, shutil, sys, zipfile
jar, resources, whole = map(pathlib.Path, sys.argv[1:])
part = whole.with_suffix(".part")
shutil.copyfile(jar, part)
with zipfile.ZipFile(part, "a") as out:
    for file in sorted((resources / "mlpcuda/data/mnist").iterdir()):
        name = file.relative_to(resources).as_posix()
        if name not in out.namelist():
            out.write(file, name)
os.replace(part, whole)
PYTHON
  echo "MNIST cannot be put back into the jar: it needs --data"
  cp "$gpu/mlp-cuda.jar" "$JAR"
}

find_tests() {
  local version
  if [ -f "$gpu/tests.jar" ]; then
    JUNIT=$gpu/junit.jar TEST_PATH=$JAR:$gpu/tests.jar TESTS=$(cat "$gpu/tests.list")
    return
  fi
  [ -d "$ROOT/target/test-classes/mlpcuda" ] || { echo "no tests are built: mvn -q test-compile does it" && return; }
  version=$(sed -n 's:.*<junit.version>\(.*\)</junit.version>.*:\1:p' "$ROOT/pom.xml")
  version=${version/#5./1.} # JUnit 5.x runs on platform 1.x, 6 on 6
  JUNIT=$PACK/junit-platform-console-standalone-$version.jar TEST_PATH=$JAR:$ROOT/target/test-classes
  [ -f "$JUNIT" ] || (cd "$ROOT" && mvn -q org.apache.maven.plugins:maven-dependency-plugin:3.11.0:copy \
    -DoutputDirectory="$PACK" -Dartifact="org.junit.platform:junit-platform-console-standalone:$version") ||
    { echo "Maven cannot fetch JUnit's console" && JUNIT='' && return; }
  TESTS=$(grep -rl --include='*.java' '^@Tag("gpu")' "$ROOT/src/test/java" | sort |
    sed "s#^$ROOT/src/test/java/##; s#\.java\$##; s#/#.#g")
}

find_library() { # NAME: its path, of those that the linker knows or that were found
  { ldconfig -p 2> /dev/null | awk -v name="$1" '$1 == name { print $NF }'; grep "/$1\$" "$PACK/found"; } | head -n 1
}

# What JAVA is started with; a file, so that scripts that call `java` follow a change.
use_libraries() {
  local path='' cublas=''
  [[ " $* " != *" cublas "* ]] || cublas=$CUBLAS
  if [ -n "$cublas" ]; then
    path=$(dirname "$cublas")
    [ "${cublas##*/}" = libcublas.so.12 ] || path=$gpu/shim:$path
  fi
  if [[ " $* " != *" cudnn "* ]]; then # mlp-cuda looks beyond this path: what it finds first is no library
    mkdir -p "$PACK/without" && touch "$PACK/without/"libcudnn{,_graph,_ops}.so.9
    path=$PACK/without:$path
  elif [ -n "$CUDNN" ]; then
    path=$path:$(dirname "$CUDNN")
  fi
  path=$path:${LD_LIBRARY_PATH-}:/usr/local/nvidia/lib64$(cat "$PACK/fallback")
  path=$(printf %s "$path" | sed -E 's/:+/:/g; s/^://')
  printf 'export LD_LIBRARY_PATH=%q CUBLAS_TARGET=%q\n' "$path" "$cublas" > "$PACK/libraries"
}

CUBLAS='' CUDNN=''
find_runtime || { echo "there is no Java" && return 1; }
find_program || return
find_tests
# shellcheck disable=SC2046,SC2086
find /usr/local/cuda*/ /usr/lib/x86_64-linux-gnu /usr/local/lib /opt ${GPU_LIBRARIES-} $(tr : ' ' <<< "${LD_LIBRARY_PATH-}") \
  \( -name 'libcublas.so.1[23]' -o -name libcudnn.so.9 \) > "$PACK/found" 2> /dev/null # GPU_LIBRARIES: more folders
CUBLAS=$(find_library libcublas.so.12)
if [ -z "$CUBLAS" ] && [ -d "$gpu/shim" ]; then CUBLAS=$(find_library libcublas.so.13); fi
CUDNN=$(find_library libcudnn.so.9)
use_libraries cublas cudnn
cat > "$JAVA" << WRAPPER
#!/bin/bash
. '$PACK/libraries'
exec '$RUNTIME/bin/java' -XX:ErrorFile='$PACK/scratch/hs_err_%p.log' "\$@"
WRAPPER
chmod +x "$JAVA"
PATH=$PACK/bin:${PATH//$PACK\/bin:/}:/usr/local/cuda/bin:/usr/local/nvidia/bin
for folder in /usr/local/cuda/compute-sanitizer /opt/nvidia/nsight-compute/*; do PATH=$PATH:$folder; done # profilers
export PATH
# What the driver makes of PTX is kept for the next process.
export CUDA_CACHE_PATH=${CUDA_CACHE_PATH:-$PACK/ptx-cache} CUDA_CACHE_MAXSIZE=${CUDA_CACHE_MAXSIZE:-1073741824}
mkdir -p "$CUDA_CACHE_PATH"
echo "JAVA=$JAVA JAR=$JAR cuBLAS=${CUBLAS:-none} cuDNN=${CUDNN:-none}"
