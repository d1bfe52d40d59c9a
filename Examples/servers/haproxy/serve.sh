#!/usr/bin/env bash
# haproxy in the foreground, with a configuration and a folder of its own: serve.sh PORT [WORKERS]
# Answers every request itself, with 200 and 64 bytes, and writes no log. WORKERS is its number of threads.
set -euo pipefail
port=${1:?usage: serve.sh PORT [WORKERS]}
folder=$(cd "$(dirname "$0")/.." && pwd)/.build/haproxy-$port
mkdir -p "$folder"
cat >"$folder/haproxy.cfg" <<END
global
    nbthread ${2:-1}
    maxconn 8192
defaults
    mode http
    timeout client 60s
    timeout http-request 60s
    timeout http-keep-alive 60s
frontend answers
    bind 127.0.0.1:$port backlog 4096
    http-request return status 200 content-type text/plain string 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
END
exec haproxy -db -q -f "$folder/haproxy.cfg"
