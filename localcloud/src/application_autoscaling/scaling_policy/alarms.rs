//! The alarms that set policies off. Those of target tracking are made, renamed and deleted with their policy.

use interstella_autoscaling::alarm::Rule;
use interstella_autoscaling::tracking::TargetTracking;
use serde_json::{Value, json};

use super::metric::RESOLUTION;
use super::{Kind, ScalingPolicy};
use crate::application_autoscaling::resource;
use crate::clock::CloudTime;
use crate::cloudwatch::{self, AlarmConfiguration, Watched};
use crate::ecs::ServiceKey;
use crate::world::World;

/// What follows the policy's ARN in the action of an alarm that target tracking made.
const CREATED_BY: &str = ":createdBy/";

/// Names of the alarms of a target-tracking policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// Of the alarm that adds tasks.
    pub high: String,
    /// Of the alarm that removes tasks; `None`: the policy never does.
    pub low: Option<String>,
}

/// The policy's ARN in the ARN of an alarm's action.
pub fn policy_arn(action: &str) -> &str {
    action.split_once(CREATED_BY).map_or(action, |(arn, _)| arn)
}

/// Makes the alarms of a target-tracking policy, of new names and as they were recorded on AWS.
pub fn make(
    world: &mut World,
    now: CloudTime,
    key: &ServiceKey,
    arn: &str,
    policy: &TargetTracking,
    watched: &Watched,
) -> Names {
    let action = format!("{arn}{CREATED_BY}{}", world.ids.uuid());
    let mut put = |what: &str, rule: &Rule| {
        let name = format!("TargetTracking-{}-Alarm{what}-{}", resource::id(key), world.ids.uuid());
        cloudwatch::put_alarm(world, now, configuration(&name, &action, rule, watched));
        name
    };
    let high = put("High", &policy.high_alarm());
    let low = policy.low_alarm(RESOLUTION).map(|rule| put("Low", &rule));
    Names { high, low }
}

/// What such an alarm is told. As on AWS, how many values alarm and what missing ones count as are left to the defaults.
fn configuration(name: &str, action: &str, rule: &Rule, watched: &Watched) -> AlarmConfiguration {
    AlarmConfiguration {
        name: name.to_owned(),
        description: Some(format!("DO NOT EDIT OR DELETE. For TargetTrackingScaling policy {action}.")),
        actions_enabled: true,
        ok_actions: Vec::new(),
        alarm_actions: vec![action.to_owned()],
        insufficient_data_actions: Vec::new(),
        watched: watched.clone(),
        comparison: rule.comparison,
        threshold: rule.threshold,
        evaluation_periods: rule.evaluation_periods,
        datapoints_to_alarm: None,
        treat_missing_data: None,
        evaluate_low_sample_count_percentile: None,
    }
}

/// Deletes the alarms that were made for a policy. A step policy has none of its own.
pub fn delete(world: &mut World, now: CloudTime, policy: &ScalingPolicy) {
    if let Kind::TargetTracking { alarms: Names { high, low }, .. } = &policy.kind {
        let names: Vec<String> = std::iter::once(high).chain(low).cloned().collect();
        cloudwatch::delete_alarms(world, now, &names);
    }
}

/// The `Alarms` of a policy: its own, or for a step policy those whose actions name it.
pub fn shown(world: &World, policy: &ScalingPolicy) -> Value {
    let names = match &policy.kind {
        Kind::TargetTracking { alarms: Names { high, low }, .. } => std::iter::once(high).chain(low).cloned().collect(),
        Kind::Step { .. } => cloudwatch::alarms_with_action(world, &policy.arn).map(str::to_owned).collect(),
        Kind::Predictive => Vec::new(),
    };
    let alarm =
        |name: &String| json!({"AlarmName": name, "AlarmARN": world.arn("cloudwatch", &format!("alarm:{name}"))});
    names.iter().map(alarm).collect()
}
