//! Metric alarms: what they are and what they are shown as.

pub(super) mod change;
pub(super) mod describe;
mod history;
mod notification;
pub(super) mod put;
pub(super) mod state;
pub(super) mod tags;

use std::collections::BTreeMap;

use interstella_autoscaling::alarm::{Comparison, Missing, Rule, State};
use jiff::Timestamp;
use serde_json::{Value, json};

pub(super) use self::history::History;
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

    /// The configuration as DescribeAlarms has it.
    fn view(&self) -> Value {
        let mut view = json!({
            "AlarmName": self.name,
            "ActionsEnabled": self.actions_enabled,
            "OKActions": self.ok_actions,
            "AlarmActions": self.alarm_actions,
            "InsufficientDataActions": self.insufficient_data_actions,
            "EvaluationPeriods": self.evaluation_periods,
            "Threshold": self.threshold,
            "ComparisonOperator": comparison_name(self.comparison),
            "AlarmDescription": self.description,
            "DatapointsToAlarm": self.datapoints_to_alarm,
            "TreatMissingData": self.treat_missing_data.map(missing_name),
            "EvaluateLowSampleCountPercentile": self.evaluate_low_sample_count_percentile,
        });
        for (name, value) in watched_view(&self.watched) {
            view[name] = value;
        }
        view
    }
}

fn watched_view(watched: &Watched) -> Vec<(&'static str, Value)> {
    match watched {
        Watched::Math(queries) => {
            vec![("Dimensions", json!([])), ("Metrics", queries.iter().map(super::query::Query::view).collect())]
        }
        Watched::Metric(stat) => {
            let name = stat.statistic.to_string();
            let kind = if name.starts_with('p') { "ExtendedStatistic" } else { "Statistic" };
            vec![
                ("Namespace", json!(stat.metric.namespace)),
                ("MetricName", json!(stat.metric.name)),
                ("Dimensions", json!(stat.metric.dimensions_view())),
                ("Period", json!(stat.period_seconds)),
                ("Unit", json!(stat.unit)),
                (kind, json!(name)),
            ]
        }
    }
}

impl Alarm {
    /// The alarm as DescribeAlarms has it; members without value are null, which the wire leaves out.
    fn view(&self, world: &World) -> Value {
        let mut view = self.configuration.view();
        view["AlarmArn"] = json!(arn(world, &self.configuration.name));
        view["AlarmConfigurationUpdatedTimestamp"] = json!(self.configuration_updated.as_epoch_seconds());
        view["StateValue"] = json!(self.state.name());
        view["StateReason"] = json!(self.state_reason);
        view["StateReasonData"] = json!(self.state_reason_data);
        view["StateUpdatedTimestamp"] = json!(self.state_updated.as_epoch_seconds());
        view["StateTransitionedTimestamp"] = json!(self.state_transitioned.as_epoch_seconds());
        view
    }
}

/// The ARN of the alarm of this name.
pub(super) fn arn(world: &World, name: &str) -> String {
    world.arn("cloudwatch", &format!("alarm:{name}"))
}

const COMPARISONS: [(Comparison, &str); 4] = [
    (Comparison::GreaterThanOrEqualToThreshold, "GreaterThanOrEqualToThreshold"),
    (Comparison::GreaterThanThreshold, "GreaterThanThreshold"),
    (Comparison::LessThanThreshold, "LessThanThreshold"),
    (Comparison::LessThanOrEqualToThreshold, "LessThanOrEqualToThreshold"),
];

const MISSING: [(Missing, &str); 4] = [
    (Missing::Missing, "missing"),
    (Missing::Ignore, "ignore"),
    (Missing::Breaching, "breaching"),
    (Missing::NotBreaching, "notBreaching"),
];

const STATES: [State; 3] = [State::Ok, State::Alarm, State::InsufficientData];

fn comparison_name(comparison: Comparison) -> &'static str {
    COMPARISONS.iter().find(|(known, _)| *known == comparison).map_or("", |(_, name)| name)
}

fn comparison(name: &str) -> Option<Comparison> {
    COMPARISONS.iter().find(|(_, known)| *known == name).map(|(comparison, _)| *comparison)
}

fn missing_name(missing: Missing) -> &'static str {
    MISSING.iter().find(|(known, _)| *known == missing).map_or("", |(_, name)| name)
}

fn missing(name: &str) -> Option<Missing> {
    MISSING.iter().find(|(_, known)| *known == name).map(|(missing, _)| *missing)
}

fn state(name: &str) -> Option<State> {
    STATES.into_iter().find(|state| state.name() == name)
}
