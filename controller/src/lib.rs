//! The reconciler: a manifest and the cloud in, a plan out, calls made.
//!
//! ```text
//! manifest.yaml ─ source ─▶ Manifest ─ validate ─▶ Desired ┐
//!                                                          ├─ plan(desired, observed) ─▶ Plan ─ execute ─▶ AWS
//! AWS ─ observe (batched over the due apps) ────▶ Observed ┘   pure, synchronous, total
//! ```
//!
//! The modules below stand in the order of that pipeline. Only `resource`, `observe`, `execute` and `aws` make calls;
//! only `controller` waits. AWS is the state: what this process remembers may delay or explain an action, never cause one.

pub mod manifest;
pub mod source;

pub mod app;
pub mod desired;

pub mod aws;
pub mod error;

pub mod batch;
pub mod observe;
pub mod observed;

pub mod diff;
pub mod plan;
pub mod resource;

pub mod echo;
pub mod execute;
pub mod memory;
pub mod operate;
pub mod reconcile;
pub mod requeue;
pub mod status;
pub mod transition;

pub mod controller;
pub mod http;
pub mod lock;
pub mod metrics;
