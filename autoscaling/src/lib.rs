//! How CloudWatch alarms and Application Auto Scaling decide, as pure functions on values.
//!
//! ```text
//!   series ─ points ─▶ alarm ─ state ─▶ combine ◀─ tracking · step · cooldown      ─▶ a decision, as an activity tells it
//!                                          ▲
//!                  schedule ─ bounds ──────┘
//! ```
//!
//! Nothing here does I/O, reads a clock or knows AWS's JSON: time comes in as an argument, values go in and values come out.
//! The local cloud stores and answers, and calls this; `simulate` runs the same functions over a load curve. So a simulation is
//! what the local cloud does, and both are what AWS documents. What AWS does not document is marked "unverified" where it is decided.

pub mod activity;
pub mod alarm;
pub mod combine;
pub mod cooldown;
pub mod schedule;
pub mod series;
pub mod simulate;
pub mod step;
pub mod tracking;
pub mod traffic;
