#!/usr/bin/env bash
# Repeats the end-to-end tests and fails at the first flake. Usage: tests/repeat.sh [TIMES, default 20] [part of a test's name]
set -euo pipefail
cd "$(dirname "$0")/.."
times=${1:-20}
cargo test --release --locked -p interstella --test program --no-run
for run in $(seq "$times"); do
    printf '=== %s of %s (%ds)\n' "$run" "$times" "$SECONDS"
    cargo test --release --locked --quiet -p interstella --test program -- ${2:+"$2"}
done
printf 'no flake in %s runs (%ds)\n' "$times" "$SECONDS"
