#!/usr/bin/env bash
# Runs the tests that `swift build --build-tests` built, those of the program beside those of its parts: both mostly wait.
# Within each half they take turns, since limits and signals are the process's.
set -euo pipefail
cd "$(dirname "$0")/.."
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# By itself, since swift test lets no other one into the folder of the build.
"$(swift build --show-bin-path)/linux-eventsPackageTests.xctest" --testing-library swift-testing \
    --no-parallel --filter '^BenchTests\.' >"$log" 2>&1 &
program=$!
code=0
swift test --skip-build --no-parallel --skip '^BenchTests\.' || code=$?
wait "$program" || code=$?
cat "$log"
exit "$code"
