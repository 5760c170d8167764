//! How a target group checks its targets: settings, their ranges, and which answers are healthy.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::errors::invalid;
use crate::call::ApiError;
use crate::effect::CheckResult;

/// Settings of health checks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HealthCheck {
    pub(super) path: String,
    /// `traffic-port` or a number.
    pub(super) port: String,
    /// Cloud time between checks of one target.
    pub(super) interval: Duration,
    /// Wall time after which a check has failed.
    pub(super) timeout: Duration,
    pub(super) healthy_threshold: u32,
    pub(super) unhealthy_threshold: u32,
    /// Statuses: values and ranges, separated by commas.
    matcher: String,
}

/// Settings as sent, by creation or modification.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct MatcherInput {
    http_code: Option<String>,
}

/// The health check's part of a call.
#[derive(Debug, Default)]
pub(super) struct HealthCheckInput {
    pub(super) protocol: Option<String>,
    pub(super) port: Option<String>,
    pub(super) enabled: Option<bool>,
    pub(super) path: Option<String>,
    pub(super) interval_seconds: Option<u64>,
    pub(super) timeout_seconds: Option<u64>,
    pub(super) healthy_threshold_count: Option<u32>,
    pub(super) unhealthy_threshold_count: Option<u32>,
    pub(super) matcher: Option<MatcherInput>,
}

impl Default for HealthCheck {
    /// AWS's defaults for HTTP.
    fn default() -> Self {
        Self {
            path: "/".to_owned(),
            port: "traffic-port".to_owned(),
            interval: Duration::from_secs(30),
            timeout: Duration::from_secs(5),
            healthy_threshold: 5,
            unhealthy_threshold: 2,
            matcher: "200".to_owned(),
        }
    }
}

impl HealthCheck {
    /// These settings with what `input` gives in place of them.
    ///
    /// # Errors
    /// A value out of its range, or a protocol that is not implemented.
    pub(super) fn with(&self, input: HealthCheckInput) -> Result<Self, ApiError> {
        if let Some(protocol) = input.protocol.filter(|protocol| protocol != "HTTP") {
            return Err(ApiError::not_implemented(format!("elasticloadbalancing health checks by {protocol}")));
        }
        if input.enabled == Some(false) {
            return Err(invalid(
                "Health check enabled must be true for target groups with target type 'instance' or 'ip'",
            ));
        }
        let seconds = |given: Option<u64>, before: Duration| given.map_or(before, Duration::from_secs);
        let checked = Self {
            path: input.path.unwrap_or_else(|| self.path.clone()),
            port: input.port.unwrap_or_else(|| self.port.clone()),
            interval: seconds(input.interval_seconds, self.interval),
            timeout: seconds(input.timeout_seconds, self.timeout),
            healthy_threshold: input.healthy_threshold_count.unwrap_or(self.healthy_threshold),
            unhealthy_threshold: input.unhealthy_threshold_count.unwrap_or(self.unhealthy_threshold),
            matcher: input.matcher.and_then(|matcher| matcher.http_code).unwrap_or_else(|| self.matcher.clone()),
        };
        checked.check()?;
        Ok(checked)
    }

    fn check(&self) -> Result<(), ApiError> {
        let range = |what: &str, value: u64, low: u64, high: u64| {
            let text = || invalid(format!("{what} '{value}' must be between {low} and {high}"));
            (low..=high).contains(&value).then_some(()).ok_or_else(text)
        };
        range("Health check interval", self.interval.as_secs(), 5, 300)?;
        range("Health check timeout", self.timeout.as_secs(), 2, 120)?;
        range("Healthy threshold count", self.healthy_threshold.into(), 2, 10)?;
        range("Unhealthy threshold count", self.unhealthy_threshold.into(), 2, 10)?;
        if self.timeout >= self.interval {
            return Err(invalid("Health check timeout must be smaller than the health check interval"));
        }
        if !self.path.starts_with('/') || self.path.len() > 1024 {
            return Err(invalid(
                "Health check path must begin with a '/' character and be at most 1024 characters long",
            ));
        }
        if self.port != "traffic-port" && self.fixed_port().is_none() {
            return Err(invalid(format!("Health check port '{}' must be 'traffic-port' or 1 to 65535", self.port)));
        }
        if ranges(&self.matcher).is_none() {
            return Err(invalid(format!("Health check matcher HTTP code '{}' must be within 200-499", self.matcher)));
        }
        Ok(())
    }

    /// The port to check if it is not the target's own.
    pub(super) fn fixed_port(&self) -> Option<u16> {
        self.port.parse().ok().filter(|port| *port > 0)
    }

    /// Whether the answer is that of a healthy target.
    pub(super) fn passes(&self, result: CheckResult) -> bool {
        let CheckResult::Status(status) = result else { return false };
        ranges(&self.matcher).is_some_and(|ranges| ranges.iter().any(|(low, high)| (*low..=*high).contains(&status)))
    }

    /// Adds the settings to a target group as the API shows it.
    pub(super) fn describe(&self, group: &mut Map<String, Value>) {
        group.insert("HealthCheckProtocol".to_owned(), "HTTP".into());
        group.insert("HealthCheckPort".to_owned(), self.port.as_str().into());
        group.insert("HealthCheckEnabled".to_owned(), true.into());
        group.insert("HealthCheckIntervalSeconds".to_owned(), self.interval.as_secs().into());
        group.insert("HealthCheckTimeoutSeconds".to_owned(), self.timeout.as_secs().into());
        group.insert("HealthyThresholdCount".to_owned(), self.healthy_threshold.into());
        group.insert("UnhealthyThresholdCount".to_owned(), self.unhealthy_threshold.into());
        group.insert("HealthCheckPath".to_owned(), self.path.as_str().into());
        group.insert("Matcher".to_owned(), json!({ "HttpCode": self.matcher }));
    }
}

/// The ranges of a matcher, a single value being a range of one; `None` if it is malformed or leaves 200–499.
fn ranges(matcher: &str) -> Option<Vec<(u16, u16)>> {
    let range = |part: &str| {
        let (low, high) = part.split_once('-').unwrap_or((part, part));
        let (low, high) = (low.trim().parse().ok()?, high.trim().parse().ok()?);
        (200 <= low && low <= high && high <= 499).then_some((low, high))
    };
    matcher.split(',').map(range).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passes(matcher: &str, status: u16) -> bool {
        HealthCheck { matcher: matcher.to_owned(), ..HealthCheck::default() }.passes(CheckResult::Status(status))
    }

    #[test]
    fn matchers_hold_values_and_ranges() {
        assert!(passes("200", 200) && !passes("200", 201));
        assert!(passes("200-299", 204) && !passes("200-299", 300));
        assert!(passes("200,202,301-302", 302) && !passes("200,202,301-302", 201));
        assert!(!HealthCheck::default().passes(CheckResult::Timeout));
    }

    #[test]
    fn malformed_matchers_are_found() {
        for matcher in ["", "abc", "199", "200-600", "300-200", "200,"] {
            assert_eq!(ranges(matcher), None, "{matcher}");
        }
    }
}
