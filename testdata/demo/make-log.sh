#!/usr/bin/env bash
# Makes appendonlydir with a real server, which it starts in a folder of its own and stops again.
#
# Usage: testdata/demo/make-log.sh REDIS_SERVER     needs Redis 7.0 or later, and redis-cli
#
# Two runs hold the same commands at other times.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
server=${1:?usage: make-log.sh REDIS_SERVER}
folder=$(mktemp -d)
socket=$folder/socket
"$server" --port 0 --unixsocket "$socket" --dir "$folder" --save '' --appendonly yes --aof-timestamp-enabled yes --appendfsync no \
    > "$folder/log" &
trap 'kill %1 2> /dev/null || true; wait; rm -rf "$folder"' EXIT
for _ in $(seq 100); do [ -S "$socket" ] && break; sleep 0.1; done

send() { redis-cli -s "$socket" > /dev/null; }

# Before the log is rewritten: this becomes the base.
send <<'END'
HSET product:4711 name Espresso price 4.20
HSET product:4712 name Assam price 3.80
SET stock:4711 12
SET stock:4712 30
RPUSH log:orders order-1000
END
redis-cli -s "$socket" bgrewriteaof > /dev/null
sleep 2

# An order, a visitor, a session.
send <<'END'
MULTI
DECR stock:4711
RPUSH log:orders "order-1001 Müller"
EXEC
INCR visitors:today
SELECT 1
SET session:7 anna EX 3600
END
sleep 2

# The next orders.
send <<'END'
MULTI
DECRBY stock:4712 2
RPUSH log:orders order-1002
ZINCRBY bestsellers 2 Assam
EXEC
INCR visitors:today
SET avatar:7 "\x89PNG\r\n\x1a\n\x00\x00"
END
sleep 2

# Somebody cleans up, and takes too much.
send <<'END'
DEL stock:4711 stock:4712 log:orders
INCR visitors:today
END
rm -rf "$here/appendonlydir"
cp -r "$folder/appendonlydir" "$here/appendonlydir"
