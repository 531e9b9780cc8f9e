#!/usr/bin/env bash
# Installs what `rdbkit-bench` runs beside rdbkit: redis-server and redis-check-rdb, valgrind and strip from Debian,
# and rdbtools from PyPI in a virtual environment of its own. Does nothing that is done already. A peer that cannot be
# had is left out with a notice; only the server is needed, and its absence is told by rdbkit-bench itself.
#
# Usage: Sources/rdbkit-bench/prepare.sh [DIR]     DIR as for rdbkit-bench --dir (.build/bench)
set -euo pipefail

dir=${1:-.build/bench}

notice() { echo "prepare.sh: $*" >&2; }

# package:program pairs; a package is installed when its program is missing.
missing=()
for pair in redis-server:redis-server redis-tools:redis-check-rdb valgrind:valgrind binutils:strip python3:python3; do
    command -v "${pair#*:}" > /dev/null || missing+=("${pair%%:*}")
done
# ensurepip is what Debian's python3 lacks without python3-venv.
python3 -c 'import ensurepip, venv' 2> /dev/null || missing+=(python3-venv)

if [ ${#missing[@]} -gt 0 ]; then
    as_root=()
    if [ "$(id -u)" -ne 0 ]; then as_root=(sudo -n); fi
    if ! command -v apt-get > /dev/null; then
        notice "not a Debian system; install by hand: ${missing[*]}"
    elif ! { "${as_root[@]}" apt-get update -qq \
        && "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
            apt-get install -y -qq --no-install-recommends "${missing[@]}"; } > /dev/null; then
        notice "could not install: ${missing[*]}"
    fi
fi

mkdir -p "$dir"
if [ ! -x "$dir/venv/bin/rdb" ]; then
    rm -rf "$dir/venv"
    pip=("$dir/venv/bin/pip" --quiet --disable-pip-version-check --retries 1 --timeout 15)
    # python-lzf is C and may not build; rdbtools then decompresses in Python.
    if python3 -m venv "$dir/venv" && "${pip[@]}" install rdbtools; then
        "${pip[@]}" install python-lzf || notice "no python-lzf: rdbtools goes without it"
    else
        rm -rf "$dir/venv"
        notice "rdbtools cannot be installed here: it is left out of the comparison"
    fi
fi
