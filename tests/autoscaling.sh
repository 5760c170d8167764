#!/usr/bin/env bash
# A rush hour at sixty times the speed, by which the service of manifests/autoscaled.yaml grows and shrinks again: about three minutes.
# Fails if an order is lost or doubled, if the controller touches the count, or if the activities do not read as AWS's do.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo test --release --locked --workspace --test program -- --ignored --nocapture a_rush_hour_scales_the_service
