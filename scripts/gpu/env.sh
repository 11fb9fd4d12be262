# shellcheck shell=bash disable=SC2034
# measure.sh sources this file; a user may too (`. scripts/gpu/env.sh && $JAVA -jar $JAR devices`). The file sets
#
#   ROOT    the project
#   PACK    a folder for all files that these scripts make (GPU_PACK, default ROOT/target/gpu)
#   JAVA    a java that finds NVIDIA's libraries; it is also first on PATH. LD_LIBRARY_PATH is not changed, because PyTorch
#           and JAX bring their own libraries
#   RUNTIME the folder of that Java
#   JAR     mlp-cuda.jar
#   JUNIT   JUnit's console; TEST_PATH is the class path of the tests, TESTS the classes with the tag gpu. All three are
#           empty if there are no tests
#
# By default the file uses the Java on PATH (or JAVA_HOME) and what `mvn -q -DskipTests package` made. On a machine without
# Java or network, these files beside this one take their place: jre.tar.xz, a Java runtime in a folder `jre`, with
# libraries in fallback/ for a machine that lacks them; mlp-cuda.jar without MNIST, which is copied from the project;
# tests.jar, tests.list and junit.jar; tree/, the project.
#
# The function `use_libraries cublas cudnn|cublas|cudnn|""` chooses which of the libraries JAVA finds from then on.
gpu=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
for ROOT in "$gpu/tree" "$gpu/.." "$gpu/../.."; do [ ! -f "$ROOT/scripts/peers.sh" ] || break; done
ROOT=$(cd "$ROOT" && pwd)
PACK=${GPU_PACK:-$ROOT/target/gpu}
JAVA=$PACK/bin/java JAR=$ROOT/target/mlp-cuda.jar JUNIT='' TEST_PATH='' TESTS=''
mkdir -p "$PACK/bin" "$PACK/scratch"

find_runtime() { # the runtime beside this file, unpacked once, or else the machine's own
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
  use_libraries # none of NVIDIA's: Java starts for itself
  # shellcheck source=/dev/null
  (. "$PACK/libraries" && "$RUNTIME/bin/java" -Xshare:dump > "$PACK/share.log" 2>&1) # makes the archive of shared classes that a JDK has
  echo "$stamp" > "$PACK/stamp"
}

find_program() { # copies the project's MNIST into a jar beside this file, because scripts and tests expect MNIST in it
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

find_library() { # NAME: the path of a library that the linker knows or that was found
  { ldconfig -p 2> /dev/null | awk -v name="$1" '$1 == name { print $NF }'; grep "/$1\$" "$PACK/found"; } | head -n 1
}

# Writes the variables that JAVA starts with into a file, so that scripts that call `java` follow a change.
use_libraries() {
  local path='' library
  if [[ " $* " == *" cublas "* ]]; then
    for library in $CUBLAS; do path=$path:$(dirname "$library"); done
  fi
  if [[ " $* " != *" cudnn "* ]]; then # mlp-cuda looks beyond this path too, so an empty file comes first and cannot be loaded
    mkdir -p "$PACK/without" && touch "$PACK/without/"libcudnn{,_graph,_ops}.so.9
    path=$PACK/without:$path
  elif [ -n "$CUDNN" ]; then
    path=$path:$(dirname "$CUDNN")
  fi
  path=$path:${LD_LIBRARY_PATH-}:/usr/local/nvidia/lib64$(cat "$PACK/fallback")
  path=$(printf %s "$path" | sed -E 's/:+/:/g; s/^://')
  printf 'export LD_LIBRARY_PATH=%q\n' "$path" > "$PACK/libraries"
}

CUBLAS='' CUDNN=''
find_runtime || { echo "there is no Java" && return 1; }
find_program || return
find_tests
# shellcheck disable=SC2046,SC2086
find /usr/local/cuda*/ /usr/lib/x86_64-linux-gnu /usr/local/lib /opt ${GPU_LIBRARIES-} $(tr : ' ' <<< "${LD_LIBRARY_PATH-}") \
  \( -name 'libcublas.so.1[23]' -o -name libcudnn.so.9 \) > "$PACK/found" 2> /dev/null # GPU_LIBRARIES: more folders
CUBLAS=$(find_library libcublas.so.13; find_library libcublas.so.12) # mlp-cuda takes the one that the driver can run
CUBLAS=${CUBLAS//$'\n'/ }
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
# The driver keeps what it compiled from PTX in this folder for the next process.
export CUDA_CACHE_PATH=${CUDA_CACHE_PATH:-$PACK/ptx-cache} CUDA_CACHE_MAXSIZE=${CUDA_CACHE_MAXSIZE:-1073741824}
mkdir -p "$CUDA_CACHE_PATH"
echo "JAVA=$JAVA JAR=$JAR cuBLAS=${CUBLAS:-none} cuDNN=${CUDNN:-none}"
