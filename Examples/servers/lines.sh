#!/usr/bin/env bash
# Prints the arguments of bench that start each server which is built, or installed, and speaks PROTOCOL.
#
# usage: lines.sh [echo|http|redis|memcached]
#
# A shell has to read them: eval "bench run --workload read --mode lt $(lines.sh | tr '\n' ' ')"
set -euo pipefail
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"

lines=$(start_lines "${1:-echo}")
while IFS= read -r line; do
    if [ -n "$line" ]; then echo "--server ${line@Q}"; fi
done <<<"$lines"
