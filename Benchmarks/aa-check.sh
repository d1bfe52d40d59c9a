#!/bin/sh
# How often bench compare is wrong, counted on this machine.
#
#   Benchmarks/aa-check.sh aa [COMPARISONS] [BLOCKS]        identical code: false verdicts, at most 5 of 100 expected
#   Benchmarks/aa-check.sh slower [COMPARISONS] [BLOCKS]    10 % more server CPU: found, at least 9 of 10 expected
#
# BENCH names the program (default: the release build), DURATION and WARMUP the lengths of a run. "aa" compares as
# bench compare --binaries does by default: its gates, two looks, and MODES (separated by commas). "slower" takes one
# look at pinned runs of MODE. Prints a line per comparison and the count; exits with 1 if the count is out of bounds.
set -eu

kind=${1:-aa}
blocks=${3:-20}
bench=${BENCH:-.build/release/bench}
folder=$(mktemp -d "${TMPDIR:-/tmp}/aa-check.XXXXXX")
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' INT TERM

# Compares and leaves the table in $folder/table and what was said in $folder/messages; prints the overall verdict:
# regressed, improved, same or inconclusive.
compare() { # seed, new program, further options
    seed=$1
    new=$2
    shift 2
    status=0
    "$bench" compare --binaries "$bench" "$new" --blocks "$blocks" --seed "$seed" --quiet --output "$folder/$seed" \
        "$@" >"$folder/table" 2>"$folder/messages" || status=$?
    # A run that failed (3) is left out of the table, which has a verdict nevertheless.
    if ! grep -q '^Overall: ' "$folder/table"; then
        cat "$folder/messages" >&2
        exit "$status"
    fi
    sed -n 's/^Overall: \([a-z]*\).*/\1/p' "$folder/table"
    cp "$folder/$seed/base/run.json" "$folder/run.json"
    rm -rf "${folder:?}/$seed"
}

# Prints what a change must exceed: the noise floors of the accepting modes, or that there is none.
margin() {
    echo "margin: 2 %, or the noise floor where that is larger"
    if grep "noise floor" "$folder/messages"; then return; fi
    machine=$(sed -n 's/.*"machine_id" : "\(.*\)".*/\1/p' "$folder/run.json")
    tr -d ' ",' <"results/baseline/$machine/noise-floor.json" | awk -F: '
        { value[$1] = $2 }
        $1 == "workload" && $2 == "accept" && value["metric"] ~ /^(server_cpu_ns|syscalls|wakeups)_per_op$/ {
            printf "noise floor of %s of %s: %.1f %%\n", value["metric"], value["mode"], 100 * value["floor"]
        }'
}

case $kind in
aa)
    total=${2:-100}
    run="--mode ${MODES:-epoll-et} --duration ${DURATION:-50ms} --warmup ${WARMUP:-10ms}"
    wrong=0
    seed=1
    : >"$folder/metrics"
    while [ "$seed" -le "$total" ]; do
        # shellcheck disable=SC2086 # the options are words
        verdict=$(compare "$seed" "$bench" -- $run)
        if [ "$seed" -eq 1 ]; then margin; fi
        echo "$seed $verdict"
        # A line of the table begins with the metric; a star marks one that decides. One of them is enough, even where
        # another is in doubt and the whole verdict with it.
        if grep -Eq '^[a-z0-9_]+\* .* (regressed|improved) ' "$folder/table"; then wrong=$((wrong + 1)); fi
        awk '/^[a-z0-9_]+\*? / && / \(?(regressed|improved)\)? / { print $1 }' "$folder/table" >>"$folder/metrics"
        seed=$((seed + 1))
    done
    echo "false verdicts: $wrong of $total comparisons of identical code, $blocks blocks each or twice as many in doubt"
    echo "of single metrics, in any mode (* decides, after Holm; the others are not adjusted for their number):"
    sort "$folder/metrics" | uniq -c
    [ $((wrong * 20)) -le "$total" ]
    ;;
slower)
    total=${2:-10}
    run="--mode ${MODE:-epoll-et} --pin auto --duration ${DURATION:-200ms} --warmup ${WARMUP:-50ms}"
    # Both sides spin, so that the planted difference is exactly a tenth of what an operation costs the base.
    base_ns=2000
    # shellcheck disable=SC2086
    "$bench" run $run --service-time "fixed:${base_ns}ns" --rounds 5 --seed 1 --quiet --output "$folder/cost"
    cost=$(awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "server_cpu_ns_per_op") column = i; next }
        { print $column }' "$folder/cost/runs.csv" | sort -n | sed -n 3p | cut -d. -f1)
    new_ns=$((base_ns + cost / 10))
    printf '#!/bin/sh\nexec "%s" "$@" --service-time fixed:%sns\n' "$(realpath "$bench")" "$new_ns" >"$folder/slower"
    chmod +x "$folder/slower"
    echo "base: $cost ns per operation, $base_ns of them planted; new: $new_ns planted"
    found=0
    seed=1
    while [ "$seed" -le "$total" ]; do
        # shellcheck disable=SC2086
        verdict=$(compare "$seed" "$folder/slower" --max-blocks "$blocks" --fail-on server_cpu_ns_per_op \
            --ignore service_time -- $run --service-time "fixed:${base_ns}ns")
        echo "$seed $verdict"
        if [ "$verdict" = regressed ]; then found=$((found + 1)); fi
        seed=$((seed + 1))
    done
    echo "found: $found of $total slowdowns by a tenth, $blocks blocks each"
    [ $((found * 10)) -ge $((total * 9)) ]
    ;;
*)
    sed -n '2,9s/^# \{0,1\}//p' "$0" >&2
    exit 64
    ;;
esac
