//! The failure and attack cases of the worker, each a test named after it, against the real server on a free port.
//! SNS and the fulfilment API are stand-ins; every outbound connection is recorded and must go to one of them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod authenticity;
mod capacity;
#[cfg(feature = "dynamodb")]
mod dynamodb;
mod fake;
mod fulfilment;
mod process;
mod program;
mod secrets;
mod sender;
mod subscription;
mod support;
mod transport;
