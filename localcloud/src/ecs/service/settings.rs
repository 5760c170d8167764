//! `deploymentConfiguration`: what a client gives of it, and what holds.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::call::ApiError;
use crate::ecs::errors::invalid;

/// `deploymentConfiguration` as given.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Given {
    deployment_circuit_breaker: Option<GivenBreaker>,
    /// Of desired.
    pub maximum_percent: Option<u32>,
    minimum_healthy_percent: Option<u32>,
    strategy: Option<String>,
    bake_time_in_minutes: Option<u32>,
    alarms: Option<GivenAlarms>,
    #[serde(default)]
    lifecycle_hooks: Vec<Value>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct GivenBreaker {
    enable: bool,
    rollback: bool,
    reset_on_healthy_task: Option<bool>,
    threshold_configuration: Option<Threshold>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct GivenAlarms {
    #[serde(default, rename = "alarmNames")]
    _alarm_names: Vec<String>,
    #[serde(default, rename = "rollback")]
    _rollback: bool,
    enable: bool,
}

/// `thresholdConfiguration` of the circuit breaker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Threshold {
    /// `BOUNDED_PERCENT`, `UNBOUNDED_PERCENT` or `COUNT`.
    #[serde(rename = "type")]
    kind: String,
    value: u32,
}

/// The deployment circuit breaker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CircuitBreaker {
    /// Whether failures end a deployment.
    pub enable: bool,
    /// Whether the last completed deployment returns then.
    pub rollback: bool,
    /// Whether a task that becomes healthy clears the count.
    pub reset_on_healthy_task: bool,
    threshold_configuration: Threshold,
}

impl CircuitBreaker {
    /// Failures that trip it at a desired count.
    pub fn threshold(&self, desired: u32) -> u32 {
        let Threshold { kind, value } = &self.threshold_configuration;
        let share = desired.saturating_mul(*value).div_ceil(100);
        match kind.as_str() {
            "COUNT" => (*value).max(1),
            "UNBOUNDED_PERCENT" => share.max(1),
            _ => share.clamp(3, 200),
        }
    }
}

/// `deploymentConfiguration` in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeploymentSettings {
    /// Tasks of all deployments, in percent of desired, at most.
    pub maximum_percent: u32,
    /// Healthy tasks, in percent of desired, at least.
    pub minimum_healthy_percent: u32,
    /// Ends a deployment that fails.
    pub circuit_breaker: CircuitBreaker,
}

impl Default for DeploymentSettings {
    fn default() -> Self {
        let threshold_configuration = Threshold { kind: "BOUNDED_PERCENT".to_owned(), value: 50 };
        let circuit_breaker =
            CircuitBreaker { enable: false, rollback: false, reset_on_healthy_task: true, threshold_configuration };
        Self { maximum_percent: 200, minimum_healthy_percent: 100, circuit_breaker }
    }
}

impl DeploymentSettings {
    /// These settings with what is given in place of theirs.
    pub fn with(&self, given: &Given) -> Result<Self, ApiError> {
        let mut settings = self.clone();
        settings.maximum_percent = given.maximum_percent.unwrap_or(settings.maximum_percent);
        settings.minimum_healthy_percent = given.minimum_healthy_percent.unwrap_or(settings.minimum_healthy_percent);
        if let Some(breaker) = &given.deployment_circuit_breaker {
            settings.circuit_breaker.enable = breaker.enable;
            settings.circuit_breaker.rollback = breaker.rollback;
            if let Some(reset) = breaker.reset_on_healthy_task {
                settings.circuit_breaker.reset_on_healthy_task = reset;
            }
            if let Some(threshold) = &breaker.threshold_configuration {
                settings.circuit_breaker.threshold_configuration = threshold.clone();
            }
        }
        settings.check()?;
        Ok(settings)
    }

    fn check(&self) -> Result<(), ApiError> {
        if self.maximum_percent < 100 {
            return Err(invalid("maximumPercent must be at least 100"));
        }
        if self.minimum_healthy_percent > 100 {
            return Err(invalid("minimumHealthyPercent must be at most 100"));
        }
        if self.maximum_percent == 100 && self.minimum_healthy_percent == 100 {
            return Err(invalid(
                "Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block deployments.",
            ));
        }
        if self.circuit_breaker.rollback && !self.circuit_breaker.enable {
            return Err(invalid("Deployment circuit breaker rollback requires the circuit breaker to be enabled."));
        }
        let kinds = ["BOUNDED_PERCENT", "UNBOUNDED_PERCENT", "COUNT"];
        if !kinds.contains(&self.circuit_breaker.threshold_configuration.kind.as_str()) {
            return Err(invalid(format!("Threshold type should be one of [{}]", kinds.join(","))));
        }
        Ok(())
    }

    /// As the API shows it.
    pub fn view(&self) -> Value {
        json!({
            "deploymentCircuitBreaker": self.circuit_breaker,
            "maximumPercent": self.maximum_percent,
            "minimumHealthyPercent": self.minimum_healthy_percent,
            "strategy": "ROLLING",
            "bakeTimeInMinutes": 0,
        })
    }
}

/// Refuses by name what the local cloud does not do for deployments.
pub(super) fn refuse_unsupported(given: &Given) -> Result<(), ApiError> {
    let refuse = |what: String| Err(ApiError::not_implemented(format!("ecs deploymentConfiguration with {what}")));
    if let Some(strategy) = given.strategy.as_ref().filter(|strategy| *strategy != "ROLLING") {
        return refuse(format!("strategy {strategy}"));
    }
    if given.bake_time_in_minutes.is_some_and(|minutes| minutes > 0) {
        return refuse("bakeTimeInMinutes".to_owned());
    }
    if given.alarms.as_ref().is_some_and(|alarms| alarms.enable) {
        return refuse("alarms".to_owned());
    }
    if !given.lifecycle_hooks.is_empty() {
        return refuse("lifecycleHooks".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_threshold_is_half_of_desired_within_3_and_200() {
        let breaker = DeploymentSettings::default().circuit_breaker;
        let thresholds = [0, 1, 25, 400, 800].map(|desired| breaker.threshold(desired));
        assert_eq!(thresholds, [3, 3, 13, 200, 200]);
    }

    #[test]
    fn the_threshold_can_be_a_count_or_an_unbounded_share() {
        let mut breaker = DeploymentSettings::default().circuit_breaker;
        breaker.threshold_configuration = Threshold { kind: "COUNT".to_owned(), value: 7 };
        assert_eq!(breaker.threshold(1), 7);
        breaker.threshold_configuration.kind = "UNBOUNDED_PERCENT".to_owned();
        assert_eq!(breaker.threshold(100), 7);
        assert_eq!(breaker.threshold(1), 1);
    }
}
