#!/bin/sh
# How often bench compare is wrong, counted on this machine.
#
#   Benchmarks/aa-check.sh aa [COMPARISONS] [BLOCKS]        identical code: false verdicts, at most 5 of 100 expected
#   Benchmarks/aa-check.sh slower [COMPARISONS] [BLOCKS]    10 % more server CPU: found, at least 9 of 10 expected
#
# BENCH names the program (default: the release build), MODE the mode, DURATION and WARMUP the lengths of a run.
# Prints a line per comparison and the count; exits with 1 if the count is out of bounds.
set -eu

kind=${1:-aa}
blocks=${3:-20}
bench=${BENCH:-.build/release/bench}
mode=${MODE:-epoll-et}
run="--mode $mode --pin auto --duration ${DURATION:-200ms} --warmup ${WARMUP:-50ms}"
folder=$(mktemp -d "${TMPDIR:-/tmp}/aa-check.XXXXXX")
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' INT TERM

# Prints the overall verdict of one comparison: regressed, improved, same or inconclusive.
compare() { # seed, new program, further options
    seed=$1
    new=$2
    shift 2
    status=0
    # One look at a fixed number of blocks, so that alpha is not split.
    "$bench" compare --binaries "$bench" "$new" --blocks "$blocks" --max-blocks "$blocks" --seed "$seed" --quiet \
        --output "$folder/$seed" --fail-on server_cpu_ns_per_op "$@" >"$folder/table" 2>"$folder/messages" || status=$?
    case $status in
    0 | 2) ;;
    *)
        cat "$folder/messages" >&2
        exit "$status"
        ;;
    esac
    sed -n 's/^Overall: \([a-z]*\).*/\1/p' "$folder/table"
    rm -rf "${folder:?}/$seed"
}

case $kind in
aa)
    total=${2:-100}
    wrong=0
    seed=1
    while [ "$seed" -le "$total" ]; do
        # shellcheck disable=SC2086 # the options are words
        verdict=$(compare "$seed" "$bench" -- $run)
        echo "$seed $verdict"
        case $verdict in regressed | improved) wrong=$((wrong + 1)) ;; esac
        seed=$((seed + 1))
    done
    echo "false verdicts: $wrong of $total comparisons of identical code, $blocks blocks each"
    [ $((wrong * 20)) -le "$total" ]
    ;;
slower)
    total=${2:-10}
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
        verdict=$(compare "$seed" "$folder/slower" --ignore service_time -- $run --service-time "fixed:${base_ns}ns")
        echo "$seed $verdict"
        if [ "$verdict" = regressed ]; then found=$((found + 1)); fi
        seed=$((seed + 1))
    done
    echo "found: $found of $total slowdowns by a tenth, $blocks blocks each"
    [ $((found * 10)) -ge $((total * 9)) ]
    ;;
*)
    sed -n '2,8s/^# \{0,1\}//p' "$0" >&2
    exit 64
    ;;
esac
