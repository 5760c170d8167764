//! Metric alarms: what they are and what they are shown as.

use std::collections::BTreeMap;

use interstella_autoscaling::alarm::{Comparison, Missing, Rule, State};
use jiff::Timestamp;

use super::query::Watched;
use crate::clock::CloudTime;
use crate::world::World;

/// What an alarm is told to do (AWS: PutMetricAlarm, which overwrites all of it).
#[derive(Debug, Clone, PartialEq)]
pub struct AlarmConfiguration {
    /// Its name, which is its identity.
    pub name: String,
    /// What people read.
    pub description: Option<String>,
    /// Whether a change of state does anything.
    pub actions_enabled: bool,
    /// ARNs of what happens in OK.
    pub ok_actions: Vec<String>,
    /// ARNs of what happens in ALARM.
    pub alarm_actions: Vec<String>,
    /// ARNs of what happens in INSUFFICIENT_DATA.
    pub insufficient_data_actions: Vec<String>,
    /// What it looks at.
    pub watched: Watched,
    /// How a value is compared with the threshold.
    pub comparison: Comparison,
    /// In the metric's unit.
    pub threshold: f64,
    /// N: how many values decide.
    pub evaluation_periods: u32,
    /// M: how many of them have to breach; `None`: all.
    pub datapoints_to_alarm: Option<u32>,
    /// What a missing value counts as; `None` is AWS's default, `missing`, and stays absent in answers.
    pub treat_missing_data: Option<Missing>,
    /// `evaluate` or `ignore`; shown and otherwise without effect here.
    pub evaluate_low_sample_count_percentile: Option<String>,
}

/// An alarm with its state.
#[derive(Debug, Clone, PartialEq)]
pub struct Alarm {
    /// What it is told to do.
    pub configuration: AlarmConfiguration,
    /// When that was last changed.
    pub configuration_updated: CloudTime,
    /// Its state.
    pub state: State,
    /// Why, in CloudWatch's words.
    pub state_reason: String,
    /// The same as JSON; `None` after SetAlarmState without it.
    pub state_reason_data: Option<String>,
    /// The values that decided the state, oldest first.
    pub datapoints: Vec<(Timestamp, f64)>,
    /// When state or reason last changed.
    pub state_updated: CloudTime,
    /// When the state last changed.
    pub state_transitioned: CloudTime,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

impl AlarmConfiguration {
    /// What the engine evaluates.
    pub fn rule(&self) -> Rule {
        Rule {
            comparison: self.comparison,
            threshold: self.threshold,
            evaluation_periods: self.evaluation_periods,
            datapoints_to_alarm: self.datapoints_to_alarm.unwrap_or(self.evaluation_periods),
            missing: self.treat_missing_data.unwrap_or_default(),
        }
    }

    /// ARNs of what happens in `state`.
    pub fn actions(&self, state: State) -> &[String] {
        match state {
            State::Ok => &self.ok_actions,
            State::Alarm => &self.alarm_actions,
            State::InsufficientData => &self.insufficient_data_actions,
        }
    }
}

/// The ARN of the alarm of this name.
pub(super) fn arn(world: &World, name: &str) -> String {
    world.arn("cloudwatch", &format!("alarm:{name}"))
}
