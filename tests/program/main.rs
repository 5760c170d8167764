//! The real program, started as a person starts it, with real processes, real sockets and the real SDK. Every test has a cloud of
//! its own on ports of its own; nothing outlives its test.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::needless_pass_by_value)]

#[path = "../shared/orders.rs"]
mod orders;
mod support;

mod autoscaling;
mod bad_save;
mod cli;
mod destroy;
mod drift;
mod edit;
mod listeners;
mod load;
mod moved;
mod plan;
mod python;
mod regions;
mod shipped;
mod signatures;
mod simulate;
mod storm;
mod transitions;
mod up;
