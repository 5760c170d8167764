//! Changes of the bounds at given times.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A change of the bounds at given times (AWS: PutScheduledAction). Nothing reverts it but another one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ScheduledAction {
    /// Name of the action among those of this app, 1–244 characters; in AWS it is `interstella.<name>`.
    pub name: String,
    /// `at(yyyy-mm-ddThh:mm:ss)`, `rate(n minutes|hours|days)`, `cron(minute hour day month weekday year)`; Sunday = 1.
    pub schedule: String,
    /// IANA name of the time zone of `at` and `cron`. Default `UTC`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// Fewest tasks from then on; absent = as before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_capacity: Option<u32>,
    /// Most tasks from then on; absent = as before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_capacity: Option<u32>,
    /// When it begins to hold, in UTC, such as `2026-12-01T00:00:00Z`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_time: Option<String>,
    /// When it no longer holds, in UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_time: Option<String>,
}
