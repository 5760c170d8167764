//! The part of AWS that Interstella needs, on loopback: real wire protocols, real processes, a real load balancer.
//!
//! ```text
//!   aws CLI · SDK ─HTTP─▶ wire ─Value─▶ Cloud ─▶ World::call ─▶ ecs · elb · logs · sns · ssm · …   (one lock, synchronous)
//!                                         ▲            │ effects
//!                              reports    │            ▼
//!                 processes, health checks, deliveries: runtime::{process, model}      proxy reads a routing snapshot
//! ```
//!
//! One store, one truth: `World` is plain data, one for each region, all behind one lock, and every handler is a
//! synchronous function on it. What has to happen outside is returned as an [`effect::Effect`]; what came of it
//! returns as an [`effect::Report`]. Whatever happens later is a timer in cloud time. This crate knows nothing of the
//! controller, the worker or hq.

pub mod addresses;
pub mod application_autoscaling;
pub mod call;
pub mod clock;
pub mod cloud;
pub mod cloudwatch;
pub mod ecr;
pub mod ecs;
pub mod effect;
pub mod elb;
pub mod event;
pub mod faults;
pub mod images;
pub mod journal;
pub mod logs;
pub mod metrics;
pub mod page;
pub mod proxy;
pub mod region;
mod regions;
pub mod runtime;
pub mod seed;
pub mod sns;
pub mod sqs;
pub mod ssm;
pub mod sts;
pub mod tagging;
pub mod wire;
pub mod world;
