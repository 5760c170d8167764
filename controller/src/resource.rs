//! One module per AWS resource, each with the same functions in the same order.
//!
//! `desired` brings the manifest to the resource's normal form (`Spec`), `observe` brings AWS's answer to the same form, `plan`
//! and `plan_removal` compare the two without I/O, `apply` makes the calls of one action. The modules do not call each other's
//! `observe` or `apply`.
//!
//! Those of auto scaling know themselves alone: normal form, what was found, how to read, action as data, how to call. What to do
//! about them is decided in `plan/scaling`.

pub mod alarm;
pub(crate) mod given;
pub mod listener;
pub mod load_balancer;
pub mod log_group;
pub mod metric;
pub mod scalable_target;
pub mod scaling_policy;
pub mod scheduled_action;
pub mod service;
pub mod subscription;
pub mod tags;
pub mod target_group;
pub mod task_definition;
