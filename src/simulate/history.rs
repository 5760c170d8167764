//! The load that an app really had, minute by minute, from CloudWatch.

use std::time::Duration;

use interstella_controller::app::AppName;
use jiff::Timestamp;

use crate::failure::Failure;
use crate::verb::Context;

/// What an app had to do.
#[derive(Debug, Clone, PartialEq)]
pub struct History {
    /// Where it comes from, for people.
    pub name: String,
    /// The first minute.
    pub start: Timestamp,
    /// Orders a minute, minute by minute.
    pub orders_per_minute: Vec<f64>,
}

pub async fn read(_context: &Context, _app: &AppName, _span: Duration) -> Result<History, Failure> {
    Err(Failure::new("soon"))
}
