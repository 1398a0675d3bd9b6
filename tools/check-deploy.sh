#!/bin/sh
# Validates what deploys Etter, each file by its own tool, without a Docker engine or a cluster.
# Docker Compose is built from source with Go, once, and kept in $ETTER_TEST_CACHE.
set -eu
cd "$(dirname "$0")/.."
bin=${VENV:-.venv}/bin
version=v2.40.3
compose=${ETTER_TEST_CACHE:-$HOME/.cache/etter-tests}/docker-compose-$version

tools/install.sh deploy

if [ ! -x "$compose" ]; then
    command -v go >/dev/null || { echo "check-deploy: install Go, or put docker-compose at $compose" >&2; exit 2; }
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    # `go install` refuses the module's exclude directives; an empty module of our own takes them.
    (cd "$work" && go mod init compose && go get "github.com/docker/compose/v2/cmd@$version" &&
        go build -o docker-compose github.com/docker/compose/v2/cmd)
    mkdir -p "$(dirname "$compose")"
    mv "$work/docker-compose" "$compose"
fi

"$compose" -f docker-compose.yml config -q && echo "docker-compose.yml is valid"
# With all of the example set, as somebody could who copies it.
deployed=$(mktemp -d)
mkdir -p "$deployed/deploy/config"
sed 's/^#ETTER_/ETTER_/' deploy/config/etter.env.example > "$deployed/deploy/config/etter.env"
"$compose" -f docker-compose.yml --project-directory "$deployed" config > "$deployed/all.yml"
"$bin/python" tools/check_env_file.py "$deployed/all.yml" deploy/config/etter.env.example
rm -r "$deployed"
"$bin/hadolint" --failure-threshold warning deploy/Dockerfile && echo "deploy/Dockerfile is valid"
"$bin/kubernetes-validate" --strict deploy/kubernetes/etter.yaml
