#!/usr/bin/env bash
# A page in a real browser tries to read and to change what `interstella up` listens on: from another port of loopback, from another
# name, and from a name that was made to resolve to loopback. Nothing may be readable and nothing may change.
#
# Needs Chromium (Debian: `apt-get install chromium`), Python and a release build of `interstella`. Takes about a minute.
set -euo pipefail
cd "$(dirname "$0")/.."
program=${INTERSTELLA:-target/release/interstella}
scratch=$(mktemp -d)
export XDG_RUNTIME_DIR=$scratch
port=${PORT:-17000} controller=$((port + 1)) hq=$((port + 2)) cloud=$((port + 3)) pages=$((port + 4))
sed "s/port: 5000, protocol/port: $port, protocol/" manifests/monolith.yaml >"$scratch/monolith.yaml"
"$program" up "$scratch/monolith.yaml" --port $controller --hq-port $hq --cloud-port $cloud --orders-per-minute 0 >"$scratch/up.log" 2>&1 &
up=$!
python3 -m http.server --bind 127.0.0.1 --directory tests/browser $pages >/dev/null 2>&1 &
server=$!
finish() {
    status=$?
    kill $up $server 2>/dev/null || true
    wait 2>/dev/null || true
    [ "$status" = 0 ] || tail -n 20 "$scratch/up.log"
    rm -rf "$scratch"
    exit "$status"
}
trap finish EXIT
until grep -q '^converged' "$scratch/up.log"; do sleep 0.2; kill -0 $up; done

# The page as it is after its tries.
browse() {
    chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking \
        --disable-component-update --disable-sync --user-data-dir="$scratch/profile" --virtual-time-budget=120000 --timeout=90000 \
        --host-resolver-rules="MAP *.example 127.0.0.1" --dump-dom "$1" 2>/dev/null
}
state() {
    curl -s "127.0.0.1:$hq/stats"
    curl -s "127.0.0.1:$hq/rates"
    curl -s "127.0.0.1:$cloud/?Action=ListTopics&Version=2010-03-31&X-Amz-Credential=a%2F20260101%2Fus-west-2%2Fsns%2Faws4_request" |
        grep -o 'arn:aws:sns:[^<]*'
    curl -s "127.0.0.1:$controller/api/v1/apps" | grep -o '"name":"[^"]*"'
}
worker=$(ss -ltnpH | grep -o '127.0.0.1:2[0-9]* .*interstella.*' | grep -o '^127.0.0.1:2[0-9]*' | tail -n 1)
before=$(state)
failed=0
for host in 127.0.0.1 localhost evil.example; do
    for name in 127.0.0.1 localhost evil.example; do
        at() { printf '"%s":"http://%s:%s"' "$1" "$name" "$2"; }
        listeners="{$(at controller $controller),$(at hq $hq),$(at cloud $cloud),$(at balancer $port),$(at worker "${worker##*:}")}"
        report=$(browse "http://$host:$pages/page.html#$(python3 -c 'import sys, urllib.parse; print(urllib.parse.quote(sys.argv[1]))' "$listeners")" |
            sed -n '/<pre id="report">/,/<\/pre>/p')
        tries=$(grep -c '|' <<<"$report" || true)
        if ! grep -q '^done' <<<"$report" || grep -E 'READ|loaded' <<<"$report"; then failed=1; fi
        echo "a page at $host, listeners called $name: $tries paths by seven ways"
    done
done
# The name that was made to resolve to loopback, opened as a page of that very origin.
for at in "$controller/api/v1/apps" "$hq/stats" "$cloud/_interstella/health" "$port/" "${worker##*:}/"; do
    page=$(browse "http://evil.example:$at")
    grep -q 'by the name in the Host header' <<<"$page" || { echo "answered: http://evil.example:$at: $page" && failed=1; }
done
after=$(state)
[ "$before" = "$after" ] || { diff <(echo "$before") <(echo "$after") && failed=1; }
[ "$failed" = 0 ] && echo "nothing was read and nothing changed"
exit $failed
