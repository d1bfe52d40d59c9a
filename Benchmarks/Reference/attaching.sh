#!/bin/bash
# What it costs a server that bench reads its processes in a timed run.
#
#   Benchmarks/Reference/attaching.sh [BLOCKS]
#
# One server, `bench serve --mode epoll-et`, is loaded in turn with and without --pid: a closed loop of reads, server and
# client on a processor each. Prints throughput with by without, the median of the blocks (40 if not given) and its exact
# 95 % interval, and ends with 1 unless that lies above 0.99. CONNECTIONS (16), DURATION (1, in seconds), WORKERS (1) and BENCH
# (the release build) can be set.
set -euo pipefail

blocks=${1:-40}
bench=$(realpath "${BENCH:-.build/release/bench}")
[[ $blocks =~ ^[1-9][0-9]*$ && $blocks -ge 6 ]] || { sed -n '2,9s/^# \{0,1\}//p' "$0" >&2; exit 64; }
folder=$(mktemp -d "${TMPDIR:-/tmp}/attaching.XXXXXX")
server=
end() {
    if [ -n "$server" ]; then kill "$server" 2>/dev/null || true; fi
    wait
    rm -rf "$folder"
}
trap end EXIT
trap 'exit 130' INT TERM

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
taskset -c 0 "$bench" serve --mode epoll-et --port "$port" --workers "${WORKERS:-1}" >"$folder/server.log" 2>&1 &
server=$!
for _ in $(seq 100); do (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break; sleep 0.1; done

# Prints operations per second.
throughput() {
    rm -rf "$folder/out"
    "$bench" run --workload read --rounds 1 --warmup 100ms --duration "${DURATION:-1}s" \
        --connections "${CONNECTIONS:-16}" --pin 0,1 --no-kernel-counts --quiet --output "$folder/out" \
        --target "127.0.0.1:$port" "$@" >"$folder/log" 2>&1 || { cat "$folder/log" >&2; exit 1; }
    awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next } { print $at["throughput_ops_per_s"] }' \
        "$folder/out/runs.csv"
}

for block in $(seq "$blocks"); do
    if ((block % 2)); then
        with=$(throughput --pid "$server") without=$(throughput)
    else
        without=$(throughput) with=$(throughput --pid "$server")
    fi
    echo "$with $without" >>"$folder/figures"
done

python3 - "$folder/figures" <<'END'
import math, statistics, sys
pairs = [tuple(map(float, line.split())) for line in open(sys.argv[1])]
ratios = sorted(one / other for one, other in pairs)
count, rank = len(ratios), 0
# The largest rank from either end between which the median lies with 95 %.
while 2 * sum(math.comb(count, k) for k in range(rank + 1)) <= 0.05 * 2**count: rank += 1
low, high = ratios[rank - 1], ratios[-rank]
print(f"{statistics.median(other for _, other in pairs):.0f} reads per second; with --pid "
      f"{statistics.median(ratios):.4f} [{low:.4f}, {high:.4f}] times as many, {count} blocks")
sys.exit(low <= 0.99)
END
