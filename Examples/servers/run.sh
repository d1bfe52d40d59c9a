#!/usr/bin/env bash
# What does an event loop cost over the bare interface? Measures the servers beside our loops, in interleaved rounds, and
# writes a Markdown table of it into the result folder.
#
# usage: run.sh [--protocol echo|http|redis|memcached] [--mode MODES] [--workers N] [--connections N] [--rounds N]
#               [--output DIR] [--no-install] [--print] [-- OPTION OF BENCH...]
#
# As root where there is apt-get it installs what the echo servers need and says so; --no-install leaves that. The servers
# of the other protocols are taken if they are installed. --print builds what can be built and prints the command only.
#
# Exit codes: those of bench; 1 nothing can be built, 64 usage.
set -euo pipefail
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"

protocol=echo mode=lt,multishot workers=1 connections=64 rounds=10 output='' install=yes print=''
usage() { sed -n '/^# usage:/,/^#$/s/^# \{0,1\}//p' "$0" >&2; exit 64; }
while [ $# -gt 0 ]; do
    case $1 in
        --protocol | --mode | --workers | --connections | --rounds | --output)
            [ $# -gt 1 ] || usage
            printf -v "${1#--}" %s "$2"
            shift
            ;;
        --no-install) install='' ;;
        --print) print=yes install='' ;;
        -h | --help) usage ;;
        --) shift; break ;;
        *) echo "run: unknown option '$1'" >&2; usage ;;
    esac
    shift
done
repository=$(cd "$here/../.." && pwd)
output=${output:-$repository/results/$(date -u +%Y%m%dT%H%M%SZ)-$protocol-servers}

install_missing() {
    local packages=()
    mapfile -t packages < <(for name in "${echo_servers[@]}"; do missing_packages "$name"; done | sort -u)
    [ ${#packages[@]} -gt 0 ] || return 0
    if [ "$(id -u)" -ne 0 ] || ! has_command apt-get; then
        echo "run: going on without ${packages[*]}, which apt-get installs as root" >&2
        return 0
    fi
    echo "run: installing ${packages[*]}; --no-install leaves that" >&2
    install_packages "${packages[@]}" || { apt-get -q update && install_packages "${packages[@]}"; } ||
        echo "run: going on without what could not be installed" >&2
}

install_packages() {
    DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -y -q --no-install-recommends install "$@" \
        </dev/null >&2
}

lines=$(start_lines "$protocol") || exit 64
if [ "$protocol" = echo ]; then
    if [ -n "$install" ]; then install_missing; fi
    "$here/build.sh" >&2 || true
    lines=$(start_lines echo)
fi
[ -n "$lines" ] || { echo "run: no server that speaks $protocol is here" >&2; exit 1; }

arguments=(run --workload read --protocol "$protocol" --mode "$mode" --workers "$workers" --connections "$connections"
    --rounds "$rounds" --output "$output")
while IFS= read -r line; do arguments+=(--server "$line"); done <<<"$lines"
arguments+=("$@")

bench=$repository/.build/release/bench
if [ -n "$print" ]; then
    echo "${bench@Q} ${arguments[*]@Q}"
    exit
fi
(cd "$repository" && swift build -c release --product bench) >&2
code=0
"$bench" "${arguments[@]}" || code=$?
if [ -f "$output/runs.csv" ] && has_command python3; then
    python3 "$here/table.py" "$output/runs.csv" >"$output/table.md"
    echo
    cat "$output/table.md"
    echo "Written to $output/table.md" >&2
fi
exit $code
