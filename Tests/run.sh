#!/usr/bin/env bash
# Runs the tests that `swift build --build-tests` built, or the suites whose names match a pattern: Tests/run.sh '^RunsTests'
# Each suite has a process of its own, and several run at a time, since most of them wait most of the time: whoever is free
# takes the next suite, so that all end at about the same time. Within a suite the tests take turns, because limits and
# signals are the process's.
set -euo pipefail
cd "$(dirname "$0")/.."
binary="$(swift build --show-bin-path)/linux-eventsPackageTests.xctest"
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT

# A network of its own, where it can be had: overflows of accept queues, which void runs, are counted for all of it.
at_once=3
apart() { unshare --net sh -c 'ip link set lo up && exec "$@"' sh "$@"; }
apart true 2>/dev/null || { at_once=2; apart() { "$@"; }; }

# Runs one suite, and shows what it printed in one piece.
one() {
    local log="$logs/$1" pattern code=0
    pattern="^$(sed 's/[.()]/[&]/g' <<<"$1")(/|\$)"
    apart "$binary" --testing-library swift-testing --no-parallel --filter "$pattern" >"$log" 2>&1 || code=$?
    grep -aq 'Test run with [1-9]' "$log" || { echo "error: no test of $1 ran" >>"$log"; code=1; }
    [ "$code" -eq 0 ] || echo "$1" >>"$logs/failed"
    flock "$logs/lock" cat "$log"
}
export binary logs
export -f apart one

# A test is listed as Module.Suite/test(), so that each belongs to one suite and no other.
"$binary" --testing-library swift-testing --list-tests >"$logs/list"
sed 's,/.*,,' "$logs/list" | sort -u | { grep -E -- "${1-.}" || true; } >"$logs/suites"
[ -s "$logs/suites" ] || { echo "Tests/run.sh: no suite matches '${1-.}'" >&2; exit 1; }
xargs -a "$logs/suites" -d '\n' -P "$at_once" -n 1 bash -c 'one "$1"' one

failed=$(cat "$logs/failed" 2>/dev/null || true)
echo "Tests/run.sh: $(wc -l <"$logs/suites") suites, failed: ${failed:-none}"
[ -z "$failed" ]
