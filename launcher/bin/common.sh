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

# Replaces this process by the launcher's main class $1 with the remaining arguments.
ascus_exec() {
  local main=$1 lib=$ASCUS_ROOT/launcher/target/lib
  shift
  local flags=(
    -XX:+UseSerialGC -Xms64m -Xmx1g -XX:-UsePerfData -XX:+UnlockExperimentalVMOptions
    --enable-native-access=org.graalvm.truffle,org.ascus.machine
    --sun-misc-unsafe-memory-access=allow
  )
  # A plain JDK has only an empty placeholder of Graal's compiler: the Maven artifact takes its place.
  grep -qs '^GRAALVM_VERSION=' "$ASCUS_JDK/release" ||
    flags+=(-XX:+EnableJVMCI --upgrade-module-path="$(echo "$lib"/compiler/*.jar)")
  # shellcheck disable=SC2086 -- the variable holds several words on purpose
  exec "$ASCUS_JDK/bin/java" "${flags[@]}" ${ASCUS_JAVA_OPTS:-} -p "$lib" -m "org.ascus.launcher/$main" "$@"
}
