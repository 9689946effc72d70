# Shared by the programs in this folder; sourced, not run. Finds the project, a JDK 25 and the built jars, and starts
# the launcher on them. Everything said goes to stderr: stdout belongs to the guest's console.

ascus_fail() {
  echo "ascus: $*" >&2
  exit 1
}

# True if $1 is the home of a JDK 25.
ascus_is_jdk25() {
  [ -x "$1/bin/java" ] && [ -x "$1/bin/javac" ] && grep -qs '^JAVA_VERSION="25[."]' "$1/release"
}

# Sets ASCUS_JDK: JAVA_HOME if it is a JDK 25, else a GraalVM (its compiler needs no warm-up), else any JDK 25.
ascus_find_jdk() {
  local home
  if [ -n "${JAVA_HOME:-}" ] && ascus_is_jdk25 "$JAVA_HOME"; then
    ASCUS_JDK=$JAVA_HOME
    return
  fi
  ASCUS_JDK=
  for home in /usr/lib/jvm/* /opt/*jdk* /opt/graalvm* "$HOME"/.sdkman/candidates/java/* "$HOME"/.jdks/*; do
    ascus_is_jdk25 "$home" || continue
    if grep -qs '^GRAALVM_VERSION=' "$home/release"; then
      ASCUS_JDK=$home
      return
    fi
    [ -n "$ASCUS_JDK" ] || ASCUS_JDK=$home
  done
  [ -n "$ASCUS_JDK" ] || ascus_fail \
    "no JDK 25 found: install one (for example Debian's openjdk-25-jdk, Temurin 25 or GraalVM 25) or set JAVA_HOME to it"
}

# Sets ASCUS_ROOT to the project's top folder; $1 is the started script, links in its path are followed.
ascus_find_root() {
  ASCUS_ROOT=$(cd "$(dirname "$(readlink -f "$1")")/../.." && pwd)
}

# True if Maven has packaged the launcher; its own jar is the last that Maven copies.
ascus_is_built() {
  compgen -G "$ASCUS_ROOT/launcher/target/lib/ascus-launcher-*.jar" >/dev/null
}

# Builds the launcher if it was never built. Two first starts at once wait for each other.
ascus_build_once() {
  local target=$ASCUS_ROOT/launcher/target log
  ascus_is_built && return
  command -v mvn >/dev/null || ascus_fail "not built yet, and Maven (mvn) is not installed"
  mkdir -p "$target"
  exec 9>"$target/.build-lock"
  flock 9
  if ! ascus_is_built; then
    echo "ascus: first use: building with Maven (a minute or two) ..." >&2
    log=$target/first-build.log
    if ! (cd "$ASCUS_ROOT" && JAVA_HOME=$ASCUS_JDK mvn -B --no-transfer-progress -DskipTests -Dstyle.skip \
        -pl launcher -am package) >"$log" 2>&1 </dev/null; then
      grep '^\[ERROR\]' "$log" | head -n 5 >&2
      ascus_fail "the build failed; all of its output is in $log"
    fi
  fi
  exec 9>&-
}

# Sets ASCUS_JAVA to the java program to start, and ASCUS_RUNTIME_FLAGS to what gives it Graal's compiler.
#
# A GraalVM has it. A plain JDK has only an empty placeholder that the Maven artifact must replace; a runtime image in
# which that is already done starts half a second faster, and is linked once. ASCUS_PLAIN_JDK=1 does without the image.
ascus_find_runtime() {
  local target=$ASCUS_ROOT/launcher/target
  ASCUS_JAVA=$ASCUS_JDK/bin/java
  ASCUS_RUNTIME_FLAGS=()
  if grep -qs '^GRAALVM_VERSION=' "$ASCUS_JDK/release"; then
    return
  fi
  # What HotSpot compiles, and by which of its compilers, is told by org.ascus.isa.bytecode.HotSpotCompiler, which this
  # gives access to.
  ASCUS_RUNTIME_FLAGS=(-XX:+EnableJVMCI -XX:+UnlockDiagnosticVMOptions -XX:+WhiteBoxAPI -XX:-DisplayVMOutput
    -XX:-UseTypeSpeculation --add-exports=java.base/jdk.internal.misc=org.ascus.isa)
  if [ -z "${ASCUS_PLAIN_JDK:-}" ] && ascus_link_image "$target"; then
    ASCUS_JAVA=$target/image/bin/java
  else
    ASCUS_RUNTIME_FLAGS+=(--upgrade-module-path="$(echo "$target"/lib/compiler/*.jar)")
  fi
}

# Links the runtime image in folder $1 if that was not done yet, by this very JDK. False if it cannot be.
ascus_link_image() {
  local target=$1 made
  # Another library may need another module of the JDK, and so may a module of ours.
  made="$(cksum <"$ASCUS_JDK/release") $(cat "$ASCUS_ROOT"/*/src/main/java/module-info.java | cksum)"
  made+=" $(cd "$target/lib" && echo *.jar compiler/*.jar)"
  [ "$(cat "$target/image.made" 2>/dev/null)" = "$made" ] && return
  [ "$(cat "$target/image.failed" 2>/dev/null)" = "$made" ] && return 1
  exec 9>"$target/.build-lock"
  flock 9
  if [ "$(cat "$target/image.made" 2>/dev/null)" != "$made" ]; then
    echo "ascus: first use: linking a Java runtime with Graal's compiler ..." >&2
    rm -rf "$target/image" "$target/image.made" "$target/image.failed"
    if "$ASCUS_JDK/bin/java" "$ASCUS_ROOT/launcher/src/image/java/RuntimeImage.java" "$target/lib" "$target/image.work" \
      "$target/image" >"$target/image.log" 2>&1; then
      echo "$made" >"$target/image.made"
    else
      echo "ascus: that failed (see $target/image.log); starts will take a little longer" >&2
      echo "$made" >"$target/image.failed"
    fi
    rm -rf "$target/image.work"
  fi
  exec 9>&-
  [ -e "$target/image.made" ]
}

# Adds the AOT cache of the classes that a start uses to ASCUS_RUNTIME_FLAGS, if the runtime is our image. It is made for
# these very jars and flags, by a training run: the launcher's main class $1 with the remaining arguments.
ascus_use_aot_cache() {
  local target=$ASCUS_ROOT/launcher/target main=$1 key cache
  shift
  [ "$ASCUS_JAVA" = "$target/image/bin/java" ] || return 0
  key=$({ stat -c '%n %s %Y' "$target"/lib/*.jar "$target/image.made"; echo "${ASCUS_FLAGS[@]}" "${ASCUS_RUNTIME_FLAGS[@]}"; } |
    cksum | cut -d ' ' -f 1)
  cache=$target/aot/$key.aot
  if [ ! -e "$cache" ]; then
    [ ! -e "$cache.failed" ] || return 0
    exec 9>"$target/.build-lock"
    flock 9
    if [ ! -e "$cache" ]; then
      echo "ascus: first use: recording what a start needs ..." >&2
      rm -rf "$target/aot"
      mkdir -p "$target/aot"
      if "$ASCUS_JAVA" "${ASCUS_FLAGS[@]}" "${ASCUS_RUNTIME_FLAGS[@]}" -XX:AOTCacheOutput="$cache.new" \
        -p "$target/lib" -m "org.ascus.launcher/$main" "$@" </dev/null >"$target/aot/log" 2>&1 &&
        [ -e "$cache.new" ]; then
        mv "$cache.new" "$cache"
      else
        touch "$cache.failed"
      fi
    fi
    exec 9>&-
    [ -e "$cache" ] || return 0
  fi
  # Mapped where it was made for, it need not be relocated, which touches all of its 50 MB. What HotSpot has learnt in
  # the training about what to compile is not taken: it has C1 compile Graal before anybody asks for it.
  ASCUS_RUNTIME_FLAGS+=(-XX:AOTCache="$cache" -XX:ArchiveRelocationMode=0 -XX:-AOTReplayTraining)
}

# What every program here starts with. Netty would go through the host's network interfaces for a number of its own, and
# complain where there is none.
ASCUS_COMMON_FLAGS=(
  --sun-misc-unsafe-memory-access=allow -Djdk.nio.maxCachedBufferSize=1048576 -Dio.netty.machineId=02:00:00:00:00:00
)

# The JVM's own messages go to stderr: stdout is the guest's console. Without a limit a thread that has read a file as
# large as a kernel keeps a buffer of that size. Reflection is used some ten times in a start: method handles for it would
# take longer to make than all the calls.
ASCUS_FLAGS=(
  -XX:+UseSerialGC -Xms64m -Xmx1g -XX:-UsePerfData -XX:+UnlockExperimentalVMOptions
  --enable-native-access=org.graalvm.truffle,org.ascus.machine,org.ascus.devices,com.github.luben.zstd_jni
  "${ASCUS_COMMON_FLAGS[@]}"
  -Djdk.reflect.useNativeAccessorOnly=true
  -Xlog:disable -Xlog:all=warning:stderr
)

# Replaces this process by the launcher's main class $1 with the remaining arguments.
ascus_exec() {
  local main=$1
  shift
  ascus_find_runtime
  ascus_use_aot_cache "$main" train
  # ASCUS_JAVA_OPTS holds several words on purpose.
  # shellcheck disable=SC2086
  exec "$ASCUS_JAVA" "${ASCUS_FLAGS[@]}" "${ASCUS_RUNTIME_FLAGS[@]}" ${ASCUS_JAVA_OPTS:-} \
    -p "$ASCUS_ROOT/launcher/target/lib" -m "org.ascus.launcher/$main" "$@"
}

# Replaces this process by a tool's main class $1 with the arguments from $3 on. Graal and the cache of its classes are
# for guests: a tool starts on the JDK as it is, with an archive of its own classes, made for these very jars by a
# training run with the words in $2. HotSpot's second compiler alone knows the host's instructions for AES: a tool that
# does without says so by ASCUS_JAVA_OPTS.
ascus_exec_tool() {
  local main=$1 train=$2 target=$ASCUS_ROOT/launcher/target key archive
  local flags=(-XX:+UseSerialGC -XX:-UsePerfData -Xmx512m
    --enable-native-access=org.ascus.devices,com.github.luben.zstd_jni "${ASCUS_COMMON_FLAGS[@]}")
  shift 2
  key=$({ stat -c '%n %s %Y' "$target"/lib/*.jar "$ASCUS_JDK/release"; echo "${flags[@]}"; } | cksum | cut -d ' ' -f 1)
  archive=$target/tools/$key-${main##*.}.aot
  if [ ! -e "$archive" ] && [ -w "$target" ]; then
    mkdir -p "$target/tools"
    rm -f "$target/tools"/*-"${main##*.}".aot*
    # shellcheck disable=SC2086
    "$ASCUS_JDK/bin/java" "${flags[@]}" -XX:AOTCacheOutput="$archive.$$" -p "$target/lib" \
      -m "org.ascus.launcher/$main" $train </dev/null >/dev/null 2>&1 || true
    [ ! -e "$archive.$$" ] || mv "$archive.$$" "$archive"
  fi
  [ ! -e "$archive" ] || flags+=(-XX:AOTCache="$archive" -Xlog:disable)
  # shellcheck disable=SC2086
  exec "$ASCUS_JDK/bin/java" "${flags[@]}" ${ASCUS_JAVA_OPTS:-} -p "$target/lib" \
    -m "org.ascus.launcher/$main" "$@"
}
