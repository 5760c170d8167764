//! CloudWatch through its API, on a clock that is stepped by hand.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::needless_pass_by_value)]

#[path = "cloudwatch/actions.rs"]
mod actions;
#[path = "cloudwatch/alarms.rs"]
mod alarms;
#[path = "cloudwatch/lab.rs"]
mod lab;
#[path = "cloudwatch/metrics.rs"]
mod metrics;
#[path = "cloudwatch/refusals.rs"]
mod refusals;
