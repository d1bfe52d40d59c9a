#!/usr/bin/env bash
# Builds the examples, compares the code in the documentation's articles with them, and lets a hostile client at the
# servers. Options go to the client of the echo servers: check.sh --silent 5
set -euo pipefail
cd "$(dirname "$0")"

server_of() { sed -n '/^struct EchoServer/,/^}/p' "$1"; }

same() {
    local article=../Sources/$1/Documentation.docc/EchoServer.md example=$2/main.swift
    grep -q '^struct EchoServer' "$article" && diff <(server_of "$article") <(server_of "$example") && return
    echo "check: the server in $article is not the one in $example" >&2
    exit 1
}

same LinuxReadiness echo-set
same LinuxRings echo-ring

swift build
binaries=$(swift build --show-bin-path)
if ! command -v python3 >/dev/null; then
    echo "check: no hostile client, because there is no python3"
    exit 0
fi

logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT

# attack CLIENT EXAMPLE OPTION OPTIONS-OF-THE-CLIENT...: an OPTION of the example, or nothing.
attack() {
    local client=$1 server=$2$3 code=0 command=("$binaries/$2")
    [ -z "$3" ] || command+=("$3")
    shift 3
    python3 "./$client.py" "$@" "${command[@]}" >"$logs/$server" 2>&1 || code=$?
    if [ $code -eq 3 ] && grep -q 'Operation not permitted\|Function not implemented' "$logs/$server"; then
        echo "skipped: $(cut -d' ' -f4- "$logs/$server")" >"$logs/$server"
        code=0
    fi
    sed "s/^/$server: /" "$logs/$server"
    return $code
}

code=0
python3 ./hostile-datagrams.py "$binaries/udp-echo" 2>&1 | sed 's/^/udp-echo: /' || code=$?
python3 ./end-by-signal.py "$binaries/timers-and-signals" 2>&1 | sed 's/^/timers-and-signals: /' || code=$?
attack hostile-client echo-set "" "$@" &
set=$!
attack hostile-client echo-ring "" "$@" || code=$?
wait $set || code=$?
attack hostile-client echo-async --set "$@" &
set=$!
attack hostile-client echo-async "" "$@" || code=$?
wait $set || code=$?
attack hostile-http http-hello --set &
set=$!
attack hostile-http http-hello "" || code=$?
wait $set || code=$?
exit $code
