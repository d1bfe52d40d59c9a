#!/usr/bin/env bash
# nginx in the foreground, with a configuration and a folder of its own: serve.sh PORT [WORKERS [CERTIFICATE KEY]]
# Speaks TLS with a certificate. Answers every request with 200 and 64 bytes, and writes no access log.
set -euo pipefail
port=${1:?usage: serve.sh PORT [WORKERS [CERTIFICATE KEY]]}
folder=$(cd "$(dirname "$0")/.." && pwd)/.build/nginx-$port
mkdir -p "$folder"
cat >"$folder/nginx.conf" <<END
daemon off;
pid nginx.pid;
error_log stderr error;
worker_processes ${2:-1};
events { worker_connections 8192; }
http {
    access_log off;
    default_type text/plain;
    tcp_nodelay on;
    keepalive_requests 1000000000;
    client_body_temp_path temporary;
    proxy_temp_path temporary;
    fastcgi_temp_path temporary;
    uwsgi_temp_path temporary;
    scgi_temp_path temporary;
    server {
        listen 127.0.0.1:$port${3:+ ssl} backlog=4096;
        ${3:+ssl_certificate $(realpath "$3"); ssl_certificate_key $(realpath "$4");}
        location / { return 200 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde\n"; }
    }
}
END
exec nginx -p "$folder" -e stderr -c "$folder/nginx.conf"
