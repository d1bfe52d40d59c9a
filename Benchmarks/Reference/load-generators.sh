#!/bin/bash
# What bench costs as a load generator, beside those that servers are usually measured with.
#
#   Benchmarks/Reference/load-generators.sh [ROUNDS]
#
# One nginx, one nginx that speaks TLS, and one redis are loaded by bench and by wrk, h2load and redis-benchmark, in turn:
# the same connections, one client thread, server and client on a processor each. Prints requests per second and the
# client's CPU time for each request, the median of the rounds (7 if not given), and the ratio of bench to the other in each
# round. CONNECTIONS (64), DURATION (2, in seconds) and BENCH (the release build) can be set. What is not installed is left
# out.
set -euo pipefail

rounds=${1:-7}
connections=${CONNECTIONS:-64}
seconds=${DURATION:-2}
bench=$(realpath "${BENCH:-.build/release/bench}")
[[ $rounds =~ ^[1-9][0-9]*$ ]] || { sed -n '2,10s/^# \{0,1\}//p' "$0" >&2; exit 64; }
folder=$(mktemp -d "${TMPDIR:-/tmp}/load-generators.XXXXXX")
servers=()
end() {
    for server in "${servers[@]}"; do kill "$server" 2>/dev/null || true; done
    wait
    rm -rf "$folder"
}
trap end EXIT
trap 'exit 130' INT TERM

has() { command -v "$1" >/dev/null; }
port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
awaiting() { for _ in $(seq 100); do (: <"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return; sleep 0.1; done; exit 1; }

# Runs the client "$2"… of the kind $1 on the second processor; its CPU time in seconds is left in $folder/cpu.
timed() {
    TIMEFORMAT='%U %S'
    local where=(taskset -c 1)
    # bench binds its threads itself, for which it needs both processors.
    if [ "$1" = bench ]; then where=(); fi
    { time "${where[@]}" "${@:2}" >"$folder/$1" 2>&1; } 2>"$folder/time"
    tail -n 1 "$folder/time" | awk '{ print $1 + $2 }' >"$folder/cpu"
}

# Adds a line: what, round, requests per second, ns of client CPU for each request.
note() { echo "$1 $2 $3 $4" >>"$folder/figures"; }

# The CPU time is that of the whole process, as it is of the others: with the start, the connections, and the 20 ms of load
# behind the window, whose requests are not counted.
bench_run() {
    rm -rf "$folder/out"
    timed bench "$bench" run --workload read --rounds 1 --warmup 0 --duration "${seconds}s" --connections "$connections" \
        --pin 0,1 --no-kernel-counts --quiet --output "$folder/out" "${@:3}" ||
        { cat "$folder/bench" >&2; exit 1; }
    awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
        { print $at["throughput_ops_per_s"], $at["operations"] }' "$folder/out/runs.csv" >"$folder/row"
    read -r rate requests <"$folder/row"
    note "$1" "$2" "$rate" "$(awk -v s="$(cat "$folder/cpu")" -v n="$requests" 'BEGIN { print s * 1e9 / n }')"
}

# The rate that the client $1 said, and its CPU time for each of so many requests.
client_run() {
    rate=$(eval "$3") requests=$(eval "$4")
    note "$1" "$2" "$rate" "$(awk -v s="$(cat "$folder/cpu")" -v n="$requests" 'BEGIN { print s * 1e9 / n }')"
}

if has nginx; then
    nginx_port=$(port)
    taskset -c 0 Examples/servers/nginx/serve.sh "$nginx_port" 1 >"$folder/nginx.log" 2>&1 &
    servers+=($!)
    awaiting "$nginx_port"
    url=http://127.0.0.1:$nginx_port/
    if has openssl; then
        tls_port=$(port)
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost \
            -keyout "$folder/key.pem" -out "$folder/cert.pem" 2>/dev/null
        taskset -c 0 Examples/servers/nginx/serve.sh "$tls_port" 1 "$folder/cert.pem" "$folder/key.pem" \
            >"$folder/nginx-tls.log" 2>&1 &
        servers+=($!)
        awaiting "$tls_port"
    fi
fi
if has redis-server && has redis-benchmark; then
    redis_port=$(port)
    (cd "$folder" && exec taskset -c 0 redis-server --port "$redis_port" --save '') >"$folder/redis.log" 2>&1 &
    servers+=($!)
    awaiting "$redis_port"
fi

# Loads the server $1 at the URL $3 in the round $2 by every client of HTTP; what else bench is to be told follows.
http_round() {
    local host=${3#*//}
    bench_run "$1/bench" "$2" --protocol http --target "${host%/}" "${@:4}"
    if has wrk; then
        timed wrk wrk -t1 -c"$connections" -d"${seconds}s" "$3"
        client_run "$1/wrk" "$2" "awk '/Requests\/sec/ { print \$2 }' $folder/wrk" \
            "awk '/ requests in / { print \$1 }' $folder/wrk"
    fi
    if has h2load; then
        timed h2load h2load --h1 -t1 -c"$connections" -D "$seconds" "$3"
        client_run "$1/h2load" "$2" "awk '/^finished in/ { print \$4 }' $folder/h2load" \
            "awk '/^requests:/ { print \$8 }' $folder/h2load"
    fi
}

for round in $(seq "$rounds"); do
    if [ -n "${url:-}" ]; then http_round nginx "$round" "$url"; fi
    if [ -n "${tls_port:-}" ]; then http_round nginx-tls "$round" "https://127.0.0.1:$tls_port/" --tls; fi
    if [ -n "${redis_port:-}" ]; then
        bench_run redis/bench "$round" --protocol redis --target "127.0.0.1:$redis_port"
        # About as long as the others, since it takes a number of requests.
        count=$(awk -v s="$seconds" '$1 == "redis/bench" { rate = $3 } END { print int(rate * s) }' "$folder/figures")
        timed redis redis-benchmark -p "$redis_port" -c "$connections" -n "$count" -t ping_mbulk --csv
        client_run redis/redis-benchmark "$round" "tail -n 1 $folder/redis | cut -d'\"' -f4" "echo $count"
    fi
done

awk '
    function middle(list,    n, v, i, j, x) {
        n = split(list, v, " ")
        for (i = 2; i <= n; i++) {
            x = v[i] + 0
            for (j = i - 1; j > 0 && v[j] + 0 > x; j--) v[j + 1] = v[j]
            v[j + 1] = x
        }
        return n % 2 ? v[(n + 1) / 2] : (v[n / 2] + v[n / 2 + 1]) / 2
    }
    { rate[$1] = rate[$1] " " $3; cpu[$1] = cpu[$1] " " $4; r[$1, $2] = $3; c[$1, $2] = $4; if ($2 > most) most = $2 }
    END {
        for (name in rate) printf "%-24s %9.0f requests/s  %6.0f ns of client CPU\n", name, middle(rate[name]), middle(cpu[name]) | "sort"
        close("sort")
        for (name in rate) {
            split(name, part, "/")
            if (part[2] == "bench") continue
            base = part[1] "/bench"; rates = ""; costs = ""
            for (i = 1; i <= most; i++) { rates = rates " " r[base, i] / r[name, i]; costs = costs " " c[base, i] / c[name, i] }
            printf "bench / %-22s %.3f times the requests, %.3f times the client CPU\n", name, middle(rates), middle(costs)
        }
    }' "$folder/figures"
