#!/bin/sh
# Fetches the real servers that tests start themselves: `make test-servers`, or
# `tools/test-servers.sh neo4j ...` for some of them. Each is skipped, saying why, where it cannot
# be had; the tests that need it are then skipped too. Repeating it changes nothing.
set -eu

NEO4J_VERSION=5.26.30
MAVEN_DEPENDENCY_PLUGIN=3.8.1
CACHE=${ETTER_TEST_CACHE:-$HOME/.cache/etter-tests}

say() { echo "test-servers: $*"; }

# Neo4j community is one Maven artifact and its dependencies: 213 jars, 123 MB.
neo4j() {
  lib=${ETTER_TEST_NEO4J_LIB:-$CACHE/neo4j-$NEO4J_VERSION}
  if [ -e "$lib/neo4j-$NEO4J_VERSION.jar" ]; then say "neo4j: is there"; return; fi
  for program in java mvn; do
    if ! command -v "$program" >/dev/null; then say "neo4j: left out, no $program here"; return; fi
  done
  work=$(mktemp -d)
  cat >"$work/pom.xml" <<POM
<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
  <groupId>etter</groupId><artifactId>neo4j-for-tests</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies><dependency><groupId>org.neo4j</groupId><artifactId>neo4j</artifactId><version>$NEO4J_VERSION</version></dependency></dependencies>
</project>
POM
  mkdir -p "$(dirname "$lib")"
  if mvn -q -B -f "$work/pom.xml" \
    "org.apache.maven.plugins:maven-dependency-plugin:$MAVEN_DEPENDENCY_PLUGIN:copy-dependencies" \
    "-DoutputDirectory=$lib.part" -DincludeScope=runtime; then
    rm -rf "$lib"
    mv "$lib.part" "$lib" # whole or not at all
    say "neo4j: fetched"
  else
    say "neo4j: left out, Maven could not fetch it"
  fi
  rm -rf "$work"
}

# Debian packages, as root only. Arguments: a program it brings, then the packages.
debian() {
  program=$1
  shift
  if command -v "$program" >/dev/null || ls /usr/lib/postgresql/*/bin/"$program" >/dev/null 2>&1; then
    say "$1: is there"
  elif [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    say "$1: left out, install the package $* yourself"
  else
    [ -n "${apt_updated:-}" ] || apt-get -qq update || true
    apt_updated=1
    if DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install "$@" >/dev/null; then
      say "$1: installed"
    else
      say "$1: left out, apt-get could not install it"
    fi
  fi
}

redis() { debian redis-server redis-server; }
postgres() { debian initdb postgresql; }
chromium() { debian chromium chromium; }

for server in "${@:-}"; do
  case "$server" in
    "") neo4j; redis; postgres; chromium ;;
    neo4j | redis | postgres | chromium) "$server" ;;
    *) say "unknown server $server; neo4j, redis, postgres or chromium"; exit 2 ;;
  esac
done
