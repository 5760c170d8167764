//! Runtimes carry out effects: `process` for real, `model` only in the books.

mod container;
mod container_check;
pub mod deliver;
mod group;
pub mod health_check;
pub mod model;
mod output;
pub mod process;
pub mod reaper;
pub mod signer;
mod usage;
