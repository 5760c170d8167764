//! Takes orders over HTTP and fulfils each exactly once.
//!
//! ```text
//! guard (bounds) ─▶ routes ─▶ sns::verify ─▶ fulfil: claim ─▶ gather ─▶ intent ─▶ client ─▶ finish ─▶ reply
//!                                                └──────────── ledger ────────────────────────┘
//! ```
//!
//! What is promised: exactly one effect per order if the fulfilment API honours the idempotency key; otherwise at most one,
//! with ambiguous orders parked for a person. A reply other than "try later" is given only when responsibility has ended.

mod admin;
mod body;
mod capacity;
mod cli;
mod client;
mod clock;
mod config;
mod fulfil;
pub mod ledger;
mod limits;
mod log;
mod metrics;
mod order;
mod outbound;
mod parked;
mod program;
mod routes;
mod sns;
mod worker;

pub use clock::Clock;
pub use config::{Config, ConfigError, LedgerChoice, Secret};
pub use limits::Limits;
pub use outbound::Observer;
pub use program::main_with;
#[cfg(fuzzing)]
pub use sns::fuzzing;
pub use worker::{Environment, Error, run, run_in};
