#!/bin/bash
# How often bench compare is wrong, counted on this machine.
#
#   Benchmarks/aa-check.sh aa [COMPARISONS] [BLOCKS]        identical code: false verdicts, at most 5 of 100 expected
#   Benchmarks/aa-check.sh slower [COMPARISONS] [BLOCKS]    10 % more server CPU: found, at least 9 of 10 expected
#
# All blocks are recorded in one go, interleaved as bench compare --binaries does it, and every BLOCKS of them are judged
# as one comparison, by bench compare with its default gates. By default these are 12, and 60 of a planted slowdown. MODES
# names the modes (default epoll-et; all), WORKLOAD the workload (default accept), DURATION and WARMUP the lengths of a
# run, BENCH the program (default: the release build). BUSY=1 keeps every processor busy meanwhile. SERVER=1 measures from
# outside, as bench compare --servers does: either side is bench serve in the one mode of MODES. FOLDER keeps the blocks:
# the same command with the same FOLDER goes on after an interruption. DRAWN=100 judges so many comparisons whose blocks
# are drawn from all recorded ones: comparisons that share blocks, where blocks take long. Prints a line per comparison
# and the count; exits with 1 if the count is out of bounds.
set -euo pipefail

usage() {
    sed -n '2,16s/^# \{0,1\}//p' "$0" >&2
    exit 64
}

# On a narrow terminal the table leaves columns out.
export COLUMNS=200

kind=${1:-aa}
case $kind in
aa) total=${2:-100} blocks=${3:-12} run=(--duration "${DURATION:-25ms}" --warmup "${WARMUP:-5ms}") ;;
slower)
    total=${2:-10} blocks=${3:-60}
    run=(--no-kernel-counts --pin auto --duration "${DURATION:-100ms}" --warmup "${WARMUP:-20ms}")
    ;;
*) usage ;;
esac
run+=(--workload "${WORKLOAD:-accept}")
if [ -z "${SERVER:-}" ]; then run+=(--mode "${MODES:-epoll-et}"); fi
[[ $total =~ ^[1-9][0-9]*$ && $blocks =~ ^[1-9][0-9]*$ ]] || usage

bench=$(realpath "${BENCH:-.build/release/bench}")
folder=${FOLDER:-}
spinners=()
end() {
    for spinner in "${spinners[@]}"; do kill "$spinner" 2>/dev/null || true; done
    if [ -z "${FOLDER:-}" ]; then rm -rf "$folder"; fi
}
trap end EXIT
trap 'exit 130' INT TERM
if [ -z "$folder" ]; then folder=$(mktemp -d "${TMPDIR:-/tmp}/aa-check.XXXXXX"); fi
mkdir -p "$folder"

if [ -n "${BUSY:-}" ]; then
    # A spinner looks for its parent now and then, so that it ends even if this script is killed.
    for _ in $(seq "$(nproc)"); do
        (parent=$$; while kill -0 "$parent" 2>/dev/null; do for ((i = 0; i < 200000; i++)); do :; done; done) &
        spinners+=($!)
    done
fi

# A server of our loops, for bench to start; $1 is how long it is busy with an operation.
serving() {
    echo "exec '$bench' serve --mode ${MODES:-epoll-et} --workload ${WORKLOAD:-accept} --port {port} --workers {workers}" \
        "--service-time $1"
}
if [ -n "${SERVER:-}" ]; then
    sides=--servers base=$(serving none) new=$base
else
    sides=--binaries base=$bench new=$bench
fi
options=()
if [ "$kind" = slower ]; then
    # Both sides spin, the new one longer. A server that is busy for longer is woken less often, so a nanosecond of spinning
    # costs it less than a nanosecond: a trial with a large difference tells how much, and the difference is planted so
    # that an operation costs a tenth more.
    base_ns=2000
    # What is compared when a side spins for $2 ns, written to the file $1 where it is a program.
    spinning() {
        if [ -n "${SERVER:-}" ]; then
            serving "fixed:$2ns"
            return
        fi
        printf '#!/bin/sh\nexec "%s" "$@" --service-time fixed:%sns\n' "$bench" "$2" >"$1"
        chmod +x "$1"
        echo "$1"
    }
    if [ -n "${SERVER:-}" ]; then
        base=$(serving "fixed:${base_ns}ns")
        spun=(--server "server=$base")
    else
        spun=(--service-time "fixed:${base_ns}ns")
        options=(--ignore service_time)
    fi
    alone=("${run[@]}" "${spun[@]}")
    if [ -z "${SERVER:-}" ]; then run=("${alone[@]}"); fi
    median_cost() {
        awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "server_cpu_ns_per_op") column = i; next }
            $column != "" { print $column }' "$1" | sort -n | awk '{ v[NR] = $1 } END { print int(v[int((NR + 1) / 2)]) }'
    }
    if [ ! -f "$folder/planted" ]; then
        rm -rf "$folder/cost" "$folder/trials"
        "$bench" run "${alone[@]}" --rounds 15 --seed 1 --quiet --output "$folder/cost" \
            >"$folder/messages" 2>&1 || true
        cost=$(median_cost "$folder/cost/runs.csv")
        trial=$((cost / 4))
        "$bench" compare "$sides" "$base" "$(spinning "$folder/trial" $((base_ns + trial)))" --blocks 60 --max-blocks 60 \
            --seed 2 --quiet --allow-missing --fail-on server_cpu_ns_per_op "${options[@]}" --output "$folder/trials" \
            -- "${run[@]}" >"$folder/table" 2>"$folder/messages" || true
        grown=$(awk '/^server_cpu_ns_per_op/ { for (i = 1; i <= NF; i++) if ($i ~ /^\[/) { print $(i - 1); exit } }' \
            "$folder/table")
        if ! awk -v grown="${grown:-0}" 'BEGIN { exit !(grown > 1.02) }'; then
            cat "$folder/messages" >&2
            echo "aa-check.sh: $trial ns more of spinning changed nothing that can be told; let other programs end" >&2
            exit 1
        fi
        echo "$cost $trial $grown" | awk '{ print $1, $2, $3, int(0.1 / ($3 - 1) * $2) }' >"$folder/planted"
    fi
    read -r cost trial grown planted <"$folder/planted"
    new=$(spinning "$folder/slower" $((base_ns + planted)))
    options+=(--fail-on server_cpu_ns_per_op)
    echo "base: about $cost ns per operation; $trial ns of spinning made it $grown times as much; planted: $planted ns"
fi

# Records what is missing. More blocks than asked for are not made: doubt is judged below.
record() {
    count=$((total * blocks))
    if [ -f "$folder/runs/compare.json" ]; then
        command=(compare --resume "$folder/runs" --quiet --allow-missing)
    else
        command=(compare "$sides" "$base" "$new" --blocks "$count" --max-blocks "$count" --seed 1 --quiet
            --allow-missing --output "$folder/runs" "${options[@]}" -- "${run[@]}")
    fi
    status=0
    "$bench" "${command[@]}" >"$folder/table" 2>"$folder/messages" || status=$?
    if [ "$status" -eq 130 ] || [ ! -f "$folder/runs/new/runs.csv" ]; then
        cat "$folder/messages" >&2
        exit "$status"
    fi
}

# The blocks of comparison $1, by number: those that are next, or drawn.
chosen() {
    if [ -z "${DRAWN:-}" ]; then
        seq $((($1 - 1) * blocks + 1)) $(($1 * blocks))
    else
        awk -v seed="$1" -v all=$((total * blocks)) -v wanted="$blocks" 'BEGIN {
            srand(seed)
            for (i = 1; i <= all; i++) block[i] = i
            for (i = 1; i <= wanted; i++) {
                j = i + int(rand() * (all - i + 1))
                drawn = block[j]
                block[j] = block[i]
                print drawn
            }
        }'
    fi
}

# The rows of the blocks in the file $2 of side $1. No field before "round" is quoted.
rows() {
    awk -F, 'NR == FNR { chosen[$1]; next }
        FNR == 1 { for (i = 1; i <= NF; i++) if ($i == "round") column = i; print; next }
        $column in chosen' "$2" "$folder/runs/$1/runs.csv"
}

record
echo "margin: 2 %, or the noise floor where that is larger"
grep "noise floor" "$folder/messages" || true
wrong=0
found=0
: >"$folder/metrics"
judged=${DRAWN:-$total}
for ((comparison = 1; comparison <= judged; comparison++)); do
    part=$folder/part
    rm -rf "$part"
    mkdir -p "$part/base" "$part/new"
    chosen "$comparison" >"$part/blocks"
    cp "$folder/runs/compare.json" "$part/"
    for side in base new; do
        rows "$side" "$part/blocks" >"$part/$side/runs.csv"
        cp "$folder/runs/$side/run.json" "$part/$side/"
    done
    status=0
    "$bench" compare "$part/base" "$part/new" --allow-missing "${options[@]}" >"$folder/table" 2>"$folder/messages" ||
        status=$?
    if ! grep -q '^Overall: ' "$folder/table"; then
        cat "$folder/messages" >&2
        exit "$status"
    fi
    last=$(tail -n 1 "$folder/table")
    # A line of the table begins with the metric. One clear change is enough, even where another metric is in doubt and
    # the whole verdict with it.
    if grep -Eq '^[a-z0-9_]+\*? .* \(?(regressed|improved)\)?( |$)' "$folder/table"; then wrong=$((wrong + 1)); fi
    awk '/^[a-z0-9_]+\*? / && / \(?(regressed|improved)\)?( |$)/ { print $1 }' "$folder/table" >>"$folder/metrics"
    case $last in REGRESSED*) found=$((found + 1)) ;; esac
    if [ "$kind" = aa ]; then tally="$wrong wrong"; else tally="$found found"; fi
    echo "$comparison ($tally) $last"
done
where="quiet"
if [ -n "${BUSY:-}" ]; then where="every processor busy"; fi
if [ "$kind" = slower ]; then
    echo "found: $found of $judged slowdowns by a tenth, $blocks blocks each, ${WORKLOAD:-accept}/${MODES:-epoll-et}, $where"
    [ $((found * 10)) -ge $((judged * 9)) ]
else
    echo "false verdicts: $wrong of $judged comparisons of identical code, $blocks blocks each, ${WORKLOAD:-accept}/${MODES:-epoll-et}, $where"
    echo "by metric (* decides):"
    sort "$folder/metrics" | uniq -c
    [ $((wrong * 20)) -le "$judged" ]
fi
