//! Runtimes carry out effects: `process` for real, `model` only in the books.

mod container;
mod deliver;
pub mod health_check;
pub mod model;
mod output;
pub mod process;
pub mod reaper;
mod signer;
mod task;
