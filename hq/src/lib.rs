//! Headquarters of Interstella 8888, for a laptop: what the workshop's administrators ran.
//!
//! ```text
//! schedule ─▶ publisher ─▶ sns ─▶ the local cloud's topics           (orders go out)
//! server ─▶ receiving ─▶ store (SQLite)                              (fulfilments come in, each counted once)
//! server ─▶ admin: rates, API keys · stats                           (loopback only)
//! ```
//!
//! It publishes orders at set rates, takes fulfilments at `POST /receiving/`, issues API keys and counts. Its count of
//! second effects is the oracle of every exactly-once test, so nothing here may hide one.
//!
//! hq speaks to the local cloud only: it signs nothing, and refuses an SNS endpoint that is not on loopback.

mod admin;
mod api_key;
mod cli;
mod client;
mod clock;
mod config;
mod endpoint;
#[cfg(feature = "faults")]
mod faults;
mod in_flight;
mod publisher;
mod rates;
mod receiving;
mod refusal;
mod schedule;
mod server;
mod service;
mod sns;
mod stats;
mod store;

pub use api_key::{ApiKey, InvalidApiKey, KeyId, NoRandomness};
pub use cli::main_with;
pub use config::{Config, ConfigError, Database, TopicRate, listen_address};
pub use endpoint::{InvalidEndpoint, LoopbackUrl};
pub use rates::InvalidRate;
pub use service::{Error, Hq, StartPublishing, run};
pub use store::StoreError;
