#!/usr/bin/env bash
# Builds the echo servers that can be built here, all or those named, into .build/bin, and says of each what came of it.
#
# usage: build.sh [NAME...]
#
# Exit codes: 0 each is built or lacks something that is named, 1 one does not compile, 64 usage.
set -euo pipefail
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"

# A command NAME that runs COMMAND with the arguments it is given.
script() {
    local name=$1
    shift
    printf '#!/bin/sh\nexec %s "$@"\n' "${*@Q}" >"$binaries/$name"
    chmod +x "$binaries/$name"
}

# Builds NAME into .build/bin.
build() {
    local to=$binaries/$1
    case $1 in
        asio) c++ -std=c++20 -O2 -pthread "$here/asio/echo.cpp" -o "$to" ;;
        libev) cc -O2 -Wall -Wextra -fno-strict-aliasing -pthread "$here/libev/echo.c" -o "$to" -lev ;;
        libevent) cc -O2 -Wall -Wextra -pthread "$here/libevent/echo.c" -o "$to" -levent_core ;;
        libuv) cc -O2 -Wall -Wextra -pthread "$here/libuv/echo.c" -o "$to" -luv ;;
        go) go build -o "$to" "$here/go/echo.go" ;;
        node) node --check "$here/node/echo.js" && script node node "$here/node/echo.js" ;;
        uvloop) script uvloop "$(uvloop_python)" "$here/uvloop/echo.py" ;;
        tokio) build_tokio && cp "$here/.build/tokio/target/release/echo" "$to" ;;
        swiftnio) swift build "${swift_options[@]}" && cp "$(swift build "${swift_options[@]}" --show-bin-path)/echo" "$to" ;;
    esac
}

swift_options=(-c release --package-path "$here/swiftnio" --scratch-path "$here/.build/swiftnio")

# cargo writes a lock file beside the manifest, so it gets a copy.
build_tokio() {
    local place=$here/.build/tokio
    mkdir -p "$place"
    cp "$here/tokio/Cargo.toml" "$here/tokio/echo.rs" "$place"
    cargo build --release --offline --quiet --manifest-path "$place/Cargo.toml" --target-dir "$place/target" \
        --config 'source.crates-io.replace-with="debian"' --config "source.debian.directory=\"$debian_crates\""
}

# What NAME lacks, in words; nothing if it can be built.
lacks() {
    local packages
    packages=$(missing_packages "$1" | paste -sd ' ')
    if [ -n "$packages" ]; then
        echo "missing; apt-get install $packages"
    elif [ "$1" = swiftnio ] && ! has_command swift; then
        echo "swift is not in PATH"
    elif [ "$1" = swiftnio ] && ! resolve_swiftnio; then
        echo "the package manager cannot get swift-nio: $(grep -m 1 error: "$here/.build/swiftnio.log")"
    fi
}

resolve_swiftnio() {
    swift package "${swift_options[@]:2}" resolve \
        >"$here/.build/swiftnio.log" 2>&1
}

names=("$@")
[ $# -gt 0 ] || names=("${echo_servers[@]}")
for name in "${names[@]}"; do
    case " ${echo_servers[*]} " in
        *" $name "*) ;;
        *)
            echo "build: no server '$name'; there are ${echo_servers[*]}" >&2
            exit 64
            ;;
    esac
done

mkdir -p "$binaries"
code=0
for name in "${names[@]}"; do
    reason=$(lacks "$name")
    if [ -n "$reason" ]; then
        rm -f "$binaries/$name"
        echo "$name: skipped: $reason"
    elif build "$name" >"$here/.build/$name.log" 2>&1; then
        echo "$name: built"
    else
        rm -f "$binaries/$name"
        echo "$name: failed; the end of .build/$name.log:"
        tail -n 20 "$here/.build/$name.log" | sed 's/^/    /'
        code=1
    fi
done
exit $code
