#!/usr/bin/env bash
# Builds the echo servers that can be built here, or those named, into .build/bin, and says of each what came of it. The HTTP
# servers, flyingfox and hummingbird, take minutes and are built by name.
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
        swiftnio) build_swift swiftnio echo "$to" ;;
        flyingfox | hummingbird) build_swift swift-http "$1" "$to" ;;
    esac
}

# Builds PRODUCT of the package in FOLDER, to the path TO.
build_swift() {
    local options=(-c release --package-path "$here/$1" --scratch-path "$here/.build/$1" --product "$2")
    swift build "${options[@]}" && cp "$(swift build "${options[@]}" --show-bin-path)/$2" "$3"
}

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
    elif [ -n "$(package_of "$1")" ] && ! has_command swift; then
        echo "swift is not in PATH"
    elif [ -n "$(package_of "$1")" ] && ! resolve "$(package_of "$1")"; then
        echo "the package manager cannot get what it needs: $(grep -m 1 error: "$here/.build/$(package_of "$1").log")"
    fi
}

# The folder of the Swift package that NAME is in; nothing for the others.
package_of() {
    case $1 in
        swiftnio) echo swiftnio ;;
        flyingfox | hummingbird) echo swift-http ;;
    esac
}

resolve() {
    swift package --package-path "$here/$1" --scratch-path "$here/.build/$1" resolve >"$here/.build/$1.log" 2>&1
}

names=("$@")
[ $# -gt 0 ] || names=("${echo_servers[@]}")
for name in "${names[@]}"; do
    case " ${echo_servers[*]} ${http_servers[*]} " in
        *" $name "*) ;;
        *)
            echo "build: no server '$name'; there are ${echo_servers[*]} ${http_servers[*]}" >&2
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
