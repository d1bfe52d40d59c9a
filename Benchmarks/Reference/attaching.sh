#!/bin/bash
# What it costs a server that bench reads its processes in a timed run.
#
#   Benchmarks/Reference/attaching.sh [BLOCKS]
#
# One server, `bench serve --mode epoll-et`, is loaded in turn with and without --pid: a closed loop of reads, server and
# client on a processor each. Prints throughput with by without, the median of the blocks (40 if not given) and its exact
# 95 % interval, and ends with 1 unless that lies above 0.99. A block counts if both of its runs were clean: what was void,
# also if it was repeated, or failed drops its block, and so many are told. Fewer than six blocks are no result: 2.
# CONNECTIONS (16), DURATION (1, in seconds), WORKERS (1) and BENCH (the release build) can be set.
#
# That bounds the cost as well as the machine is quiet. What bench does to a server's processes is bounded by itself: two
# snapshots of the process tree a run, and nothing is attached. How long one takes, of nginx with two workers, is printed by
#
#   swift test --filter SnapshotCostTests
set -euo pipefail

blocks=${1:-40}
[[ $blocks =~ ^[1-9][0-9]*$ && $blocks -ge 6 ]] || { sed -n '2,17s/^# \{0,1\}//p' "$0" >&2; exit 64; }
bench=$(realpath "${BENCH:-.build/release/bench}")
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

# Prints operations per second of a run that was clean at the first go, and else a dash.
throughput() {
    rm -rf "$folder/out"
    local code=0
    "$bench" run --workload read --rounds 1 --warmup 100ms --duration "${DURATION:-1}s" \
        --connections "${CONNECTIONS:-16}" --pin 0,1 --no-kernel-counts --quiet --output "$folder/out" \
        --target "127.0.0.1:$port" "$@" >"$folder/log" 2>&1 || code=$?
    python3 - "$folder/out/runs.csv" "$code" <<'END'
import csv, os, sys
rows = list(csv.DictReader(open(sys.argv[1]))) if os.path.exists(sys.argv[1]) else []
clean = sys.argv[2] == "0" and [row["status"] for row in rows] == ["ok"]
print(rows[0]["throughput_ops_per_s"] if clean else "-")
END
    if [ "$code" != 0 ]; then tail -n 1 "$folder/log" >&2; fi
}

for block in $(seq "$blocks"); do
    if ((block % 2)); then
        with=$(throughput --pid "$server")
        without=$(throughput)
    else
        without=$(throughput)
        with=$(throughput --pid "$server")
    fi
    echo "$with $without" >>"$folder/figures"
done

python3 - "$folder/figures" <<'END'
import math, statistics, sys
rounds = [line.split() for line in open(sys.argv[1])]
pairs = [(float(one), float(other)) for one, other in rounds if "-" not in (one, other)]
used = f"{len(pairs)} of {len(rounds)} blocks used, {len(rounds) - len(pairs)} dropped for a void or failed run"
if len(pairs) < 6:
    print(f"{used}: too few")
    sys.exit(2)
ratios = sorted(one / other for one, other in pairs)
count, rank = len(ratios), 0
# The largest rank from either end between which the median lies with 95 %.
while 2 * sum(math.comb(count, k) for k in range(rank + 1)) <= 0.05 * 2**count: rank += 1
low, high = ratios[rank - 1], ratios[-rank]
print(f"{statistics.median(other for _, other in pairs):.0f} reads per second; with --pid "
      f"{statistics.median(ratios):.4f} [{low:.4f}, {high:.4f}] times as many, {used}")
sys.exit(low <= 0.99)
END
