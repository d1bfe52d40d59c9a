#!/usr/bin/env bash
# Runs the tests that `swift build --build-tests` built, those of the program beside those of its parts: both mostly wait.
# Within each half they take turns, since limits and signals are the process's.
set -euo pipefail
cd "$(dirname "$0")/.."
log=$(mktemp)
# A network of its own, where it can be had: overflows of accept queues, which void runs, are counted for all of it.
apart=(unshare --net sh -c 'ip link set lo up && exec "$@"' sh)
"${apart[@]}" true 2>/dev/null || apart=()
# By itself, since swift test lets no other one into the folder of the build.
"${apart[@]}" "$(swift build --show-bin-path)/linux-eventsPackageTests.xctest" --testing-library swift-testing \
    --no-parallel --filter '^BenchTests\.' >"$log" 2>&1 &
program=$!
trap 'kill "$program" 2>/dev/null || true; rm -f "$log"' EXIT
code=0
swift test --skip-build --no-parallel --skip '^BenchTests\.' || code=$?
wait "$program" || code=$?
cat "$log"
grep -q 'Test run with [1-9]' "$log" || { echo "Tests/run.sh: no test of the program ran" >&2; code=1; }
exit "$code"
