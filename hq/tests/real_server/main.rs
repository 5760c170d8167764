//! hq as others meet it: the real server on a port of its own, a real database, and a fake SNS that keeps what it gets.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod admin;
mod command;
#[cfg(feature = "faults")]
mod faults;
mod publishing;
mod receiving;
mod support;
