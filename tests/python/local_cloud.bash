# For scripts that drive the local cloud with clients written by others. They set `port`, may set `patience` (seconds), read this file
# from the repository's root, and say `start_cloud` with further flags of `interstella cloud`.
program=${INTERSTELLA:-target/release/interstella}
scratch=$(mktemp -d)
export AWS_ENDPOINT_URL=http://127.0.0.1:$port AWS_REGION=us-west-2 AWS_DEFAULT_REGION=us-west-2 AWS_PAGER=""
export AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null

start_cloud() {
    "$program" cloud --port "$port" "$@" >"$scratch/cloud.log" 2>&1 &
    cloud=$!
    trap finish EXIT
}
finish() {
    status=$?
    kill "$cloud" 2>/dev/null && wait "$cloud" || true
    [ "$status" = 0 ] || tail -n 40 "$scratch/cloud.log"
    rm -rf "$scratch"
    exit "$status"
}

say() { printf '%s  %s\n' "$(date +%T)" "$*"; }
# Runs a command until it succeeds, at most `patience` seconds.
until_true() {
    local what=$1 deadline=$((SECONDS + ${patience:-60}))
    shift
    until "$@" >"$scratch/last" 2>&1; do
        if [ $SECONDS -ge $deadline ]; then
            echo "gave up waiting: $what" && cat "$scratch/last" && return 1
        fi
        sleep 0.2
    done
    say "$what"
}
text() { aws "$@" --output text; }
