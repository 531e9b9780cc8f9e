#!/usr/bin/env bash
# Makes shop.rdb with a real server, which it starts in a folder of its own and stops again.
#
# Usage: testdata/demo/make.sh REDIS_SERVER     needs Redis 8.0 or later, and redis-cli
#
# Two runs hold the same data; they differ in what a server makes up: the time of saving, the order of hash tables,
# when the stream's consumer was seen, the levels of the vector set.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
server=${1:?usage: make.sh REDIS_SERVER}
folder=$(mktemp -d)
socket=$folder/socket
"$server" --port 0 --unixsocket "$socket" --dir "$folder" --dbfilename shop.rdb --save '' \
    --enable-debug-command yes --replica-read-only no > "$folder/log" &
trap 'kill %1 2> /dev/null || true; wait; rm -rf "$folder"' EXIT
for _ in $(seq 100); do [ -S "$socket" ] && break; sleep 0.1; done

# A line is a command as redis-cli takes it; what begins with # is not.
answers=$(sed -e '/^#/d' -e '/^$/d' "$here/shop.commands" | redis-cli -s "$socket")
if grep -i '^\(ERR\|WRONGTYPE\|(error)\)' <<< "$answers"; then
    echo "make.sh: the server refused a command" >&2
    exit 1
fi
redis-cli -s "$socket" save > /dev/null
cp "$folder/shop.rdb" "$here/shop.rdb"
