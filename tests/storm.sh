#!/usr/bin/env bash
# Orders at 600 a minute while workers are killed and the service is rolled and scaled; prints what was done and the longest wait.
# Usage: tests/storm.sh [SECONDS, default 300] [LEDGER, default a SQLite file that the workers share; `memory`: one each]
set -euo pipefail
cd "$(dirname "$0")/.."
export INTERSTELLA_STORM_SECONDS=${1:-300}
if [ -n "${2:-}" ]; then export INTERSTELLA_STORM_LEDGER=$2; fi
cargo test --release --locked -p interstella --test program -- --nocapture no_order_is_lost_or_doubled_in_a_storm
