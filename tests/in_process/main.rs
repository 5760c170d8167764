//! The reconciler against the local cloud, all in this process: the real SDK and wire protocols, but no socket, no program and no
//! waiting, as the cloud's clock is advanced by hand.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has to fail")]

mod adapter;
mod cloudwatch;
mod crash;
mod crowd;
mod echo;
mod handover;
mod lab;
mod many;
#[path = "../shared/orders.rs"]
mod orders;
mod outage;
mod ownership;
mod reads;
mod regions;
mod removal;
mod revisions;
mod rollback;
mod scaling;
mod state;
mod steady;
mod workload;
