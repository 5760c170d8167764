#!/usr/bin/env bash
# Measures the main job five times, in milliseconds: start to the first fulfilled order, edit to three serving workers, kill to a
# replacement that serves, Ctrl-C to the end. Prints median and maximum of each. For an otherwise idle machine; needs `curl`.
set -euo pipefail
cd "$(dirname "$0")/.."
program=${INTERSTELLA:-target/release/interstella}
times=${1:-5}
scratch=$(mktemp -d)
up=""
finish() {
    status=$?
    [ "$status" = 0 ] || tail -n 20 "$scratch/log"
    [ -z "$up" ] || kill -9 "$up" 2>/dev/null || true
    rm -rf "$scratch"
    exit "$status"
}
trap finish EXIT

now() { echo $(($(date +%s%N) / 1000000)); }
# Notes the milliseconds since the time $2 under the name $1.
note() { echo $(($(now) - $2)) >>"$scratch/$1"; }
until_true() {
    local deadline=$((SECONDS + 60))
    until "$@"; do
        [ $SECONDS -lt $deadline ] || { echo "gave up waiting: $*" && return 1; }
        sleep 0.02
    done
}
says() { grep -q "$1" "$scratch/log"; }
url() { sed -n "s/^ *$1  *\(http[^ ]*\).*/\1/p" "$scratch/log" | head -n 1; }
fulfilled() { curl -fsS "$hq/stats" | sed -n 's/.*"fulfilled": *\([0-9]*\).*/\1/p'; }
fulfils() { [ "$(fulfilled)" -gt "$1" ]; }
elb() {
    curl -fsS "$cloud" -d "Version=2015-12-01&Action=$1${2:-}" \
        -H 'authorization: AWS4-HMAC-SHA256 Credential=local/20260101/us-west-2/elasticloadbalancing/aws4_request, SignedHeaders=host, Signature=0'
}
# Host ports of the targets that are healthy.
healthy() {
    local group
    group=$(elb DescribeTargetGroups | sed -n 's:.*<TargetGroupArn>\([^<]*\)</TargetGroupArn>.*:\1:p' | head -n 1)
    elb DescribeTargetHealth "&TargetGroupArn=$group" | sed 's:</TargetHealth>:\n:g' | grep '<State>healthy<' |
        sed -n 's:.*<Port>\([0-9]*\)</Port>.*:\1:p'
}
serving() { [ "$(healthy | wc -l)" = "$1" ]; }
workers() { pgrep -P "$up" -f ' worker$' || true; }
# Another target than $1 serves, alone.
another() { serving 1 && [ "$(healthy)" != "$1" ]; }

for run in $(seq "$times"); do
    sed "s/port: 5000, protocol/port: $((15200 + run)), protocol/" manifests/monolith.yaml >"$scratch/monolith.yaml"
    : >"$scratch/log"
    start=$(now)
    "$program" up "$scratch/monolith.yaml" --port 0 --cloud-port 0 --hq-port 0 --orders-per-minute 600 >"$scratch/log" 2>&1 &
    up=$!
    until_true says "^  orders "
    note start_to_converged "$start"
    hq=$(url headquarters) cloud=$(url 'local cloud')
    until_true fulfils 0
    note start_to_first_order "$start"

    sed -i.old 's/desiredCount: 1 /desiredCount: 3 /' "$scratch/monolith.yaml"
    edit=$(now)
    until_true serving 3
    note edit_to_three_serving "$edit"
    sed -i.old 's/desiredCount: 3 /desiredCount: 1 /' "$scratch/monolith.yaml"
    edit=$(now)
    until_true serving 1
    one() { [ "$(workers | wc -l)" = 1 ]; }
    until_true one
    note edit_to_one_left "$edit"

    old=$(healthy)
    kill -9 "$(workers)"
    killed=$(now)
    until_true another "$old"
    note kill_to_replaced "$killed"
    before=$(fulfilled)
    until_true fulfils "$before"

    kill -INT "$up"
    interrupted=$(now)
    status=0
    wait "$up" || status=$?
    note ctrl_c_to_gone "$interrupted"
    [ "$status" = 130 ] || { echo "exit status $status" && exit 1; }
    up=""
done

for what in start_to_converged start_to_first_order edit_to_three_serving edit_to_one_left kill_to_replaced ctrl_c_to_gone; do
    sort -n "$scratch/$what" | awk -v what="$what" \
        '{ at[NR] = $1 } END { printf "%-24s median %6d ms, maximum %6d ms\n", what, at[int((NR + 1) / 2)], at[NR] }'
done
