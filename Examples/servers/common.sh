# shellcheck shell=bash
# What the scripts here share: which servers there are, what each needs, and how it is started.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
binaries=$here/.build/bin
echo_servers=(asio go libev libevent libuv node swiftnio tokio uvloop)
# HTTP servers that are built here.
http_servers=(flyingfox hummingbird)
debian_crates=/usr/share/cargo/registry

has_command() { command -v "$1" >/dev/null; }
has_header() { echo "#include <$3>" | "$1" -x "$2" -E - >/dev/null 2>&1; }

# A Python that has uvloop: Debian's package is not seen by another Python that comes first in PATH.
uvloop_python() {
    local python
    for python in python3 /usr/bin/python3; do
        if "$python" -c 'from uvloop import install' 2>/dev/null; then
            command -v "$python"
            return
        fi
    done
    return 1
}

# The Debian packages that the server NAME needs and that are missing, each in a line.
missing_packages() {
    local compiler=cc language=c package_of_compiler=gcc
    case $1 in
        asio) compiler=c++ language=c++ package_of_compiler=g++ ;;
        go) has_command go || echo golang-go ;;
        node) has_command node || echo nodejs ;;
        tokio)
            has_command cargo || echo cargo
            [ -n "$(compgen -G "$debian_crates/tokio-1.*")" ] || echo librust-tokio-dev
            ;;
        uvloop) uvloop_python >/dev/null || echo python3-uvloop ;;
    esac
    case $1 in
        asio | libev | libevent | libuv) has_command "$compiler" || echo "$package_of_compiler" ;;
    esac
    case $1 in
        asio) has_header $compiler $language asio.hpp || echo libasio-dev ;;
        libev) has_header $compiler $language ev.h || echo libev-dev ;;
        libevent) has_header $compiler $language event2/bufferevent.h || echo libevent-dev ;;
        libuv) has_header $compiler $language uv.h || echo libuv1-dev ;;
    esac
}

# The start line NAME=COMMAND of each server that can be started here and speaks PROTOCOL, each in a line.
start_lines() {
    local name place
    printf -v place %q "$here"
    case $1 in
        echo)
            for name in "${echo_servers[@]}"; do
                if [ -x "$binaries/$name" ]; then echo "$name=$place/.build/bin/$name {port} {workers}"; fi
            done
            ;;
        http)
            for name in "${http_servers[@]}"; do
                if [ -x "$binaries/$name" ]; then echo "$name=$place/.build/bin/$name {port} {workers}"; fi
            done
            for name in haproxy nginx; do
                if has_command $name; then echo "$name=$place/$name/serve.sh {port} {workers}"; fi
            done
            ;;
        redis)
            # The threads of --io-threads write; one reads and runs the commands.
            if has_command redis-server; then
                echo "redis=redis-server --bind {address} --port {port} --io-threads {workers} --save '' --appendonly no"
            fi
            ;;
        memcached)
            # -u matters to root alone, whom memcached refuses to be.
            if has_command memcached; then
                echo "memcached=memcached -l {address} -p {port} -t {workers} -c 8192 -u nobody"
            fi
            ;;
        *)
            echo "no protocol '$1': name echo, http, redis or memcached" >&2
            return 64
            ;;
    esac
}
