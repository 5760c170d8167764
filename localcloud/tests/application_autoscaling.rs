//! Application Auto Scaling, driven through its API on the `model` runtime with a stepped clock.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::needless_pass_by_value)]

#[path = "application_autoscaling/acting.rs"]
mod acting;
#[path = "application_autoscaling/policies.rs"]
mod policies;
#[path = "application_autoscaling/scene.rs"]
mod scene;
#[path = "application_autoscaling/schedules.rs"]
mod schedules;
#[path = "application_autoscaling/targets.rs"]
mod targets;
