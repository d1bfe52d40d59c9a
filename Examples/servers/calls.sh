#!/usr/bin/env bash
# Prints what each built echo server asks of the kernel for a message, as strace counts it: one worker, one connection
# that sends 64 bytes, waits for them and sends again, a thousand times.
#
# usage: calls.sh
set -euo pipefail
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"

lines=$(start_lines echo)
[ -n "$lines" ] || { echo "calls: nothing is built; run $here/build.sh" >&2; exit 1; }
while IFS= read -r line; do
    printf '%-10s ' "${line%%=*}"
    python3 "$here/client.py" calls "${line#*=}"
done <<<"$lines"
