#!/bin/sh
# Makes the virtual environment in $VENV (default .venv) and installs Etter into it, editable.
#
#   tools/install.sh [GROUP]      GROUP: a dependency group of pyproject.toml, e.g. dev
#
# Needs only python3 with its venv module. Installs with uv, which takes 10 s where pip takes 25 s,
# and compiles the bytecode: a Dagster run starts 1.4 s sooner with it. Where uv cannot be had or
# fails, pip does the same. Indexes, certificates and proxies are those that pip is configured with.
set -eu
cd "$(dirname "$0")/.."
venv=${VENV:-.venv}
python=${PYTHON:-python3}
group=${1:-}

say() { echo "install: $*" >&2; }

"$python" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' || {
    say "$python is $("$python" -V 2>&1); Etter needs Python 3.10 to 3.13: make PYTHON=python3.12"
    exit 2
}

make_environment() {
    "$venv/bin/python" -c '' 2>/dev/null && "$venv/bin/python" -m pip --version >/dev/null 2>&1 && return
    rm -rf "$venv"
    "$python" -m venv "$venv" >/dev/null 2>&1 && return
    # Debian splits ensurepip off (python3-venv); any other pip can fill the environment.
    if "$python" -m venv --without-pip "$venv" 2>/dev/null &&
        "$python" -m pip --python "$venv/bin/python" install -q pip 2>/dev/null; then
        return
    fi
    rm -rf "$venv"
    if command -v virtualenv >/dev/null && virtualenv -q -p "$python" "$venv"; then return; fi
    say "cannot make a virtual environment: install python3-venv (Debian: apt install python3-venv)"
    exit 2
}

pip_setting() { # the value pip uses for a name, from its files or the environment
    "$venv/bin/python" -m pip config list 2>/dev/null |
        sed -n "s/^\(global\|install\|:env:\)\.$1='\(.*\)'\$/\2/p" | sed 's/\\n/ /g' | tail -n 1
}

translate() { # uv's variable, pip's name: what is set for uv already stays
    eval "[ -z \"\${$1:-}\" ]" || return 0
    value=$(pip_setting "$2")
    if [ -n "$value" ]; then export "$1=$value"; fi
}

install_with_uv() {
    "$venv/bin/python" -m pip install -q --disable-pip-version-check 'uv>=0.8' || return 1
    translate UV_DEFAULT_INDEX index-url
    translate UV_INDEX extra-index-url
    translate UV_INSECURE_HOST trusted-host
    translate UV_FIND_LINKS find-links
    translate SSL_CERT_FILE cert
    if [ -n "$(pip_setting no-index)" ]; then export UV_NO_INDEX=1; fi
    if [ -z "${SSL_CERT_FILE:-}" ]; then export UV_NATIVE_TLS=1; fi
    "$venv/bin/uv" pip install -q -p "$venv/bin/python" --compile-bytecode -e . \
        ${group:+--group "$group"}
}

install_with_pip() {
    if [ -n "$group" ]; then
        # `--group` came with pip 25.1.
        "$venv/bin/python" -m pip install -q --upgrade 'pip>=25.1'
    fi
    "$venv/bin/python" -m pip install -q -e . ${group:+--group "$group"}
}

say "into $venv; takes half a minute, where packages come quickly"
make_environment
if [ -n "${ETTER_INSTALL_WITH_PIP:-}" ] || ! install_with_uv; then
    say "without uv: pip takes about half a minute"
    install_with_pip
fi
