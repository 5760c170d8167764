#!/usr/bin/env bash
# The worker's DynamoDB ledger against moto, an AWS written by others: the ledgers' contract, the crash points, replicas that race,
# lost answers, a slow and a failing table, and what a person does about parked orders.
# Needs `aws`, `moto_server` and `cargo` on the PATH.
set -euo pipefail
cd "$(dirname "$0")/../.."
port=${MOTO_PORT:-15556}
scratch=$(mktemp -d)
export AWS_ENDPOINT_URL=http://127.0.0.1:$port AWS_REGION=us-west-2 AWS_DEFAULT_REGION=us-west-2 AWS_PAGER=""
export AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null

moto_server -H 127.0.0.1 -p "$port" >"$scratch/moto.log" 2>&1 &
moto=$!
finish() {
    status=$?
    kill "$moto" 2>/dev/null && wait "$moto" 2>/dev/null || true
    [ "$status" = 0 ] || grep -v '" 200 -' "$scratch/moto.log" | tail -n 40
    rm -rf "$scratch"
    exit "$status"
}
trap finish EXIT
for _ in $(seq 300); do
    curl -fsS "$AWS_ENDPOINT_URL/moto-api/" >/dev/null 2>&1 && break
    kill -0 "$moto" || { cat "$scratch/moto.log" && exit 1; }
    sleep 0.1
done

# Two tables by the very commands of the ledger's documentation.
sed -n '/^\/\/! ```sh$/,/^\/\/! ```$/p' worker/src/ledger/dynamodb.rs | grep -v '```' | sed 's#^//! \{0,1\}##' >"$scratch/commands"
for table in interstella-orders interstella-parked; do
    sed "s/\bTABLE\b/$table/" "$scratch/commands" >"$scratch/create.sh"
    bash -e "$scratch/create.sh" >/dev/null
done
aws dynamodb describe-time-to-live --table-name interstella-orders --query TimeToLiveDescription.TimeToLiveStatus --output text |
    grep -x ENABLED

# The whole workspace, or shared dependencies would be built again with other features.
cargo test --release --locked --workspace --features interstella-worker/dynamodb,interstella-worker/signed-confirmation \
    --lib --test cases -- config:: dynamodb ledger:: w26 w57
