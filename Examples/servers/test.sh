#!/usr/bin/env bash
# Builds the servers, starts each of them and each start line, lets client.py at it, and says PASS, SKIP or FAIL.
#
# usage: test.sh [NAME...]
#
# Exit codes: 0 none failed, 1 one did, 2 there is no Python 3.
set -euo pipefail
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"
has_command python3 || { echo "test: python3 is missing; apt-get install python3" >&2; exit 2; }

wanted=" $* "
code=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

is_wanted() { [ "$wanted" = "  " ] || [[ $wanted == *" $1 "* ]]; }

say() {
    echo "$1 $2${3:+: $3}"
    [ "$1" != FAIL ] || code=1
}

# One worker, then two: several workers are a way of their own in most libraries.
try() {
    local protocol=$1 name=${2%%=*} command=${2#*=} workers
    is_wanted "$name" || return 0
    for workers in 1 2; do
        if ! timeout -k 10 180 python3 "$here/client.py" check --protocol "$protocol" --workers $workers "$command" \
            >"$work/log" 2>&1 </dev/null; then
            say FAIL "$name" "with $workers workers: $(tail -n 3 "$work/log" | paste -sd ' ')"
            return
        fi
    done
    say PASS "$name"
}

for name in $wanted; do
    known=" ${echo_servers[*]} ${http_servers[*]} nginx haproxy redis memcached "
    [[ $known == *" $name "* ]] || { echo "test: there is no server '$name'; there are$known" >&2; exit 64; }
done

built=()
for name in "${echo_servers[@]}" "${http_servers[@]}"; do
    if is_wanted "$name"; then built+=("$name"); fi
done
if [ ${#built[@]} -gt 0 ]; then
    "$here/build.sh" "${built[@]}" >"$work/built" || true
    while IFS= read -r line; do
        case $line in
            *': skipped: '*) say SKIP "${line%%:*}" "${line#*: skipped: }" ;;
            *': failed; '*) say FAIL "${line%%:*}" "${line#*: }" ;;
            ' '*) echo "$line" ;;
        esac
    done <"$work/built"
fi

for protocol in echo http redis memcached; do
    lines=$(start_lines $protocol)
    while IFS= read -r line; do
        if [ -n "$line" ]; then try $protocol "$line"; fi
    done <<<"$lines"
done
for name in haproxy:haproxy memcached:memcached nginx:nginx redis-server:redis; do
    if is_wanted "${name#*:}" && ! has_command "${name%:*}"; then
        say SKIP "${name#*:}" "missing; apt-get install ${name%:*}"
    fi
done
exit $code
