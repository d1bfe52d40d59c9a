#!/bin/sh
# User-space instructions for each wake, Swift against C, counted by callgrind: the same on a busy machine as on an
# idle one. Prints one line for each pair of loops, and fails if Swift takes more than 15 % more or allocates.
#
# usage: Benchmarks/Reference/instructions.sh [path of a release build's bench]
# needs: valgrind
set -eu

bench=${1:-.build/release/bench}
if [ ! -x "$bench" ]; then
    echo "instructions.sh: no $bench; run 'swift build -c release' first, or name the program" >&2
    exit 64
fi
if ! command -v valgrind >/dev/null; then
    echo "instructions.sh: valgrind is missing; install it: apt-get install valgrind" >&2
    exit 64
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# Valgrind cannot read all debug information that Swift writes, and needs none of it.
strip -g -o "$folder/bench" "$bench"

# instructions FUNCTION CALL OPTIONS...: what was spent inside FUNCTION, divided by the calls of CALL that it made.
instructions() {
    loop=$1
    call=$2
    shift 2
    rm -rf "$folder/out" "$folder/results"
    if ! valgrind --tool=callgrind --toggle-collect="$loop" --callgrind-out-file="$folder/out" "$folder/bench" \
        --workload wake --rounds 1 --quiet --output "$folder/results" "$@" >"$folder/log" 2>&1; then
        cat "$folder/log" >&2
        exit 3
    fi
    awk -v wanted="$call" '
        /^cfn=/ {
            id = $1
            sub(/^cfn=/, "", id)
            if (NF > 1) name[id] = $2
            called = name[id]
        }
        /^fn=/ {
            id = $1
            sub(/^fn=/, "", id)
            if (NF > 1) name[id] = $2
        }
        /^calls=/ {
            split($1, part, "=")
            if (called == wanted) calls += part[2]
            if (called ~ /^(malloc|calloc|realloc|posix_memalign|swift_allocObject|swift_slowAlloc)/) made += part[2]
        }
        /^(summary|totals):/ { total = $2 }
        END {
            if (calls == 0) exit 1
            if (made > calls / 100) exit 4
            printf "%.1f\n", total / calls
        }' "$folder/out" || { echo "instructions.sh: $loop made no call of $call, or it allocates" >&2; exit 1; }
}

worst=0

# report TITLE SWIFT C
report() {
    ratio=$(awk -v a="$2" -v b="$3" 'BEGIN { printf "%.3f", a / b }')
    printf '%-28s Swift %7s  C %7s  ratio %s\n' "$1" "$2" "$3" "$ratio"
    if awk -v r="$ratio" 'BEGIN { exit !(r > 1.15) }'; then worst=2; fi
}

ping_pong="--shape ping-pong --pin same --warmup 0 --duration 500ms"
in_swift="--implementation swift"
in_c="--implementation c"
# The options are words. A ping-pong writes once for each wake.
# shellcheck disable=SC2086
{
    report "ping-pong, blocking" \
        "$(instructions '*answerSignals*' write --mode blocking $ping_pong $in_swift)" \
        "$(instructions reference_ping_pong_read write --mode blocking $ping_pong $in_c)"
    report "ping-pong, epoll-et" \
        "$(instructions '*answerSignals*' write --mode et $ping_pong $in_swift)" \
        "$(instructions reference_ping_pong_epoll write --mode et $ping_pong $in_c)"
}
exit $worst
