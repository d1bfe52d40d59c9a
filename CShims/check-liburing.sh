#!/bin/sh
# Whether the C modules and what stands on them build with other liburings and kernel headers than this machine's.
#
#   CShims/check-liburing.sh [SOURCE...]
#
# Fetches Debian's packages without installing them and prints a line for each combination: ok or the number of errors,
# and the versions that the compiler's own record of the headers it read leads to. "by hand" is liburing's source after
# its configure step, on the kernel headers of Debian 12; each SOURCE is a folder with another one to try like that.
# Wants Swift, apt-get, the network, 500 MB in TMPDIR and a minute for each line. Exit code: 0 all build, or nothing could
# be tried and the reason is printed; 1 something does not build; 64 usage.
set -eu

mirror=http://deb.debian.org/debian
keys=/usr/share/keyrings/debian-archive-keyring.gpg
shims=$(cd "$(dirname "$0")" && pwd)
cpu=$(uname -m)

usage() {
    echo "usage: CShims/check-liburing.sh [SOURCE...], each SOURCE a folder with liburing's configure in it" >&2
    exit 64
}
skip() {
    echo "check-liburing: skipped: $*"
    exit 0
}

for source in "$@"; do
    if ! [ -x "$source/configure" ] || ! [ -f "$source/src/include/liburing.h" ]; then usage; fi
done
for tool in apt-get dpkg swift clang; do
    command -v "$tool" >/dev/null || skip "there is no $tool here"
done
[ -f "$keys" ] || skip "Debian's keys are not in $keys (package debian-archive-keyring)"

folder=$(mktemp -d "${TMPDIR:-/tmp}/check-liburing.XXXXXX")
trap 'rm -rf "$folder"' EXIT
# Compilers that were interrupted too write for a moment yet.
trap 'sleep 1; exit 130' INT TERM

# An apt of our own: its lists, its cache, its sources; the machine's are not read and not written.
mkdir -p "$folder/lists/partial" "$folder/cache/archives/partial" "$folder/packages" "$folder/pkgconfig"
for suite in bookworm bookworm-backports trixie sid; do
    echo "deb [signed-by=$keys] $mirror $suite main"
done >"$folder/sources"
for suite in trixie sid; do
    echo "deb-src [signed-by=$keys] $mirror $suite main"
done >>"$folder/sources"
apt() {
    apt-get -qq -o Dir::Etc::SourceList="$folder/sources" -o Dir::Etc::SourceParts=/dev/null \
        -o Dir::State::Lists="$folder/lists" -o Dir::Cache="$folder/cache" -o APT::Sandbox::User= \
        -o APT::Update::Error-Mode=any -o Acquire::Languages=none -o Acquire::GzipIndexes=false \
        -o Dir::Cache::pkgcache=pkgcache.bin -o Dir::Cache::srcpkgcache=srcpkgcache.bin "$@" 2>"$folder/apt.log"
}
apt update || skip "no package lists from $mirror: $(head -n 1 "$folder/apt.log")"

# fetch SUITE PACKAGE: leaves its files in $folder/SUITE/PACKAGE.
fetch() {
    rm -f "$folder"/packages/*
    (cd "$folder/packages" && apt download "$2/$1") || skip "no $2 from $1: $(head -n 1 "$folder/apt.log")"
    mkdir -p "$folder/$1/$2"
    dpkg -x "$folder"/packages/*.deb "$folder/$1/$2"
}
# fetch_source SUITE: leaves liburing's source in $folder/SUITE/source.
fetch_source() {
    rm -f "$folder"/packages/*
    (cd "$folder/packages" && apt source --download-only "liburing/$1") ||
        skip "no source from $1: $(head -n 1 "$folder/apt.log")"
    mkdir "$folder/$1/source"
    tar -xf "$folder"/packages/liburing_*.orig.tar.?z -C "$folder/$1/source" --strip-components=1
}

version_of_liburing() {
    # Before 2.4 there is no such header.
    sed -n 's/.*IO_URING_VERSION_M[AJINOR]* *\([0-9]*\)$/\1/p' "$1/liburing/io_uring_version.h" 2>/dev/null |
        paste -s -d . - | grep . || echo 'before 2.4'
}
version_of_kernel() {
    sed -n 's/.*LINUX_VERSION_[MPS][A-Z]* *\([0-9]*\)$/\1/p' "$1/linux/version.h" | paste -s -d . -
}

# Tags that a header defines and OwnNames.h does not rename.
unnamed() {
    cat "$1"/liburing/io_uring.h "$1"/liburing/io_uring/*.h "$2"/linux/io_uring.h "$2"/linux/io_uring/zcrx.h 2>/dev/null |
        sed -nE 's/^(struct|enum|union) ([a-z0-9_]+) *\{.*/\2/p' | sort -u | while read -r tag; do
        grep -qx "#define $tag c_$tag" "$shims/CIOUring/OwnNames.h" || echo "$tag"
    done | paste -s -d ' ' -
}

# Whether the compiled C module NAME was made from FILE.
read_by() {
    find "$folder/build" -name "$1-*.pcm" | while read -r module; do
        clang -module-file-info "$module"
    done 2>/dev/null | grep -qF "Input file: $2"
}

failed=0
report() { # NAME ERRORS
    if [ "$2" -eq 0 ]; then echo "$1: ok"; else
        echo "$1: $2 errors"
        sort -u "$folder/errors" | head -n 3 | sed 's/^/    /'
        failed=1
    fi
}

# try NAME LIBURING KERNEL: two include folders. liburing is found as a hand-built one is, by its pkg-config file.
try() {
    printf 'Name: liburing\nDescription: as fetched\nVersion: 2\nCflags: -I%s\nLibs: -luring\n' "$2" \
        >"$folder/pkgconfig/liburing.pc"
    # Clang's record of a compiled C module does not say in which folders its headers were looked for.
    rm -rf "$folder"/build/*-linux-gnu "$folder"/build/build.db
    : >"$folder/errors"
    for mode in debug release; do
        for target in ShimContractTests LinuxRings; do
            PKG_CONFIG_PATH="$folder/pkgconfig" swift build --package-path "$shims/.." --scratch-path "$folder/build" \
                -c "$mode" --target "$target" -Xcc -isystem -Xcc "$3" -Xcc -isystem -Xcc "$3/$cpu-linux-gnu" \
                >"$folder/log" 2>&1 && continue
            grep -E '^[^ ]+ error: ' "$folder/log" >>"$folder/errors" || tail -n 1 "$folder/log" >>"$folder/errors"
        done
    done
    read_by CIOUring "$2/liburing.h" || echo "CIOUring was not made from $2" >>"$folder/errors"
    read_by CSystem "$3/linux/io_uring.h" || echo "CSystem was not made from $3" >>"$folder/errors"
    errors=$(sort -u "$folder/errors" | grep -c . || true)
    report "$1: liburing $(version_of_liburing "$2"), kernel headers $(version_of_kernel "$3")" "$errors"
    missing=$(unnamed "$2" "$3")
    [ -z "$missing" ] || echo "    not in OwnNames.h: $missing"
}

# try_by_hand NAME SOURCE: configures a copy with the kernel headers of Debian 12.
try_by_hand() {
    rm -rf "$folder/by-hand"
    cp -R "$2" "$folder/by-hand"
    (cd "$folder/by-hand" && CC="clang -isystem $old -isystem $old/$cpu-linux-gnu" \
        CXX="clang++ -isystem $old -isystem $old/$cpu-linux-gnu" ./configure) >"$folder/log" 2>&1 || {
        tail -n 1 "$folder/log" >"$folder/errors"
        report "$1: its configure" 1
        return
    }
    try "$1" "$folder/by-hand/src/include" "$old"
}

# try_c NAME OPTION...: the headers alone, in C.
try_c() {
    name=$1
    shift
    for header in "$shims"/*/*.h; do
        case $header in */OwnNames.h | */UsualNames.h) continue ;; esac
        clang -fsyntax-only -ferror-limit=0 -nostdlibinc -isystem "$liburing" "$@" -x c "$header" 2>&1 || true
    done | grep 'error: ' >"$folder/errors" || true
    report "$name, C only" "$(grep -c . "$folder/errors" || true)"
}

for suite in bookworm trixie sid; do
    fetch "$suite" liburing-dev
    fetch "$suite" linux-libc-dev
done
fetch bookworm-backports linux-libc-dev
fetch bookworm musl-dev
if [ "$cpu" != aarch64 ]; then
    fetch bookworm libc6-dev-arm64-cross
    fetch bookworm linux-libc-dev-arm64-cross
fi
for suite in trixie sid; do fetch_source "$suite"; done
old=$folder/bookworm/linux-libc-dev/usr/include
liburing=$folder/bookworm/liburing-dev/usr/include

try 'Debian 12' "$liburing" "$old"
try 'Debian 12, backported kernel' "$liburing" "$folder/bookworm-backports/linux-libc-dev/usr/include"
for suite in trixie sid; do
    try "Debian $suite" "$folder/$suite/liburing-dev/usr/include" "$folder/$suite/linux-libc-dev/usr/include"
done
for source in "$folder/trixie/source" "$folder/sid/source" "$@"; do
    try_by_hand 'Debian 12, by hand' "$source"
done

# Debian's own compat.h asks for kernel headers of its age, so these two take Debian 12's. Swift defines _GNU_SOURCE for
# musl and not for glibc.
mkdir "$folder/kernel"
cp -R "$old/linux" "$old/asm-generic" "$old/$cpu-linux-gnu/asm" "$folder/kernel"
try_c musl -target "$cpu-linux-musl" -D_GNU_SOURCE -isystem "$folder/kernel" \
    -isystem "$folder/bookworm/musl-dev/usr/include/$cpu-linux-musl"
if [ "$cpu" != aarch64 ]; then
    try_c arm64 -target aarch64-linux-gnu \
        -isystem "$folder/bookworm/libc6-dev-arm64-cross/usr/aarch64-linux-gnu/include" \
        -isystem "$folder/bookworm/linux-libc-dev-arm64-cross/usr/aarch64-linux-gnu/include"
fi
exit "$failed"
