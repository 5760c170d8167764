//! `healthCheck` of a container definition.

use std::ops::RangeInclusive;
use std::time::Duration;

use serde::Deserialize;

/// Seconds between checks, unless given (AWS: HealthCheck, API reference).
pub const INTERVAL_SECONDS: u64 = 30;
/// Seconds that a check may take, unless given.
pub const TIMEOUT_SECONDS: u64 = 5;
/// Failures in a row that make a container unhealthy, unless given.
pub const RETRIES: u32 = 3;

/// A container's health check, completed with AWS's defaults.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct HealthCheck {
    /// `CMD` with a program and its arguments, or `CMD-SHELL` with a line for the shell.
    command: Vec<String>,
    /// Seconds between checks, 5 to 300.
    interval: u64,
    /// Seconds that a check may take, 2 to 60.
    timeout: u64,
    /// Failures in a row that make the container unhealthy, 1 to 10.
    retries: u32,
    /// Seconds from the container's start in which failures do not count, at most 300.
    #[serde(default)]
    start_period: u64,
}

impl HealthCheck {
    /// What is executed. The shell is the one that an image has unless it says otherwise.
    pub fn command_line(&self) -> Vec<String> {
        match self.command.split_first() {
            Some((kind, line)) if kind == "CMD-SHELL" => {
                ["/bin/sh", "-c"].into_iter().map(str::to_owned).chain(line.iter().cloned()).collect()
            }
            Some((_, words)) => words.to_vec(),
            None => Vec::new(),
        }
    }

    /// Cloud time from a container's start to its first check, and from the end of one check to the next.
    pub fn interval(&self) -> Duration {
        Duration::from_secs(self.interval)
    }

    /// How long a check may take.
    pub fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout)
    }

    /// Failures in a row that make a container unhealthy.
    pub fn retries(&self) -> u32 {
        self.retries
    }

    /// Cloud time from a container's start in which failures do not count.
    pub fn start_period(&self) -> Duration {
        Duration::from_secs(self.start_period)
    }

    /// What AWS would refuse of it (bounds: HealthCheck, API reference; the words are unverified).
    pub fn problem(&self) -> Option<String> {
        let known = self.command.first().is_some_and(|kind| kind == "CMD" || kind == "CMD-SHELL");
        if !known || self.command.len() < 2 {
            return Some("'healthCheck.command' must begin with CMD or CMD-SHELL, followed by a command.".to_owned());
        }
        let bounds: [(&str, u64, RangeInclusive<u64>); 4] = [
            ("interval", self.interval, 5..=300),
            ("timeout", self.timeout, 2..=60),
            ("retries", self.retries.into(), 1..=10),
            ("startPeriod", self.start_period, 0..=300),
        ];
        let broken = bounds.into_iter().find(|(_, value, bound)| !bound.contains(value))?;
        let (member, _, bound) = broken;
        Some(format!("'healthCheck.{member}' must be between {} and {}.", bound.start(), bound.end()))
    }
}
