//! Elastic Container Service, driven through its API on the `model` runtime with a stepped clock.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::needless_pass_by_value)]

#[path = "ecs/api.rs"]
mod api;
#[path = "ecs/breaker.rs"]
mod breaker;
#[path = "ecs/health.rs"]
mod health;
#[path = "ecs/lab.rs"]
mod lab;
#[path = "ecs/order.rs"]
mod order;
#[path = "ecs/placement.rs"]
mod placement;
#[path = "ecs/refusals.rs"]
mod refusals;
#[path = "ecs/rolling.rs"]
mod rolling;
#[path = "ecs/tasks.rs"]
mod tasks;
#[path = "ecs/traps.rs"]
mod traps;
