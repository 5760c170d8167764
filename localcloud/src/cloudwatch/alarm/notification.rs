//! What a topic is told of an alarm: the JSON that CloudWatch publishes, and its subject.

use interstella_autoscaling::alarm::State;
use serde_json::{Value, json};

use super::{Alarm, arn, comparison_name, missing_name};
use crate::cloudwatch::query::{Query, Watched};
use crate::world::{ACCOUNT, World};

/// Characters that a subject may have (AWS: SNS Publish).
const MAX_SUBJECT: usize = 100;

/// Subject and message.
pub(super) fn of(world: &World, alarm: &Alarm, before: State) -> (String, String) {
    let configuration = &alarm.configuration;
    let region = region_name(&world.region);
    let subject = format!("{}: \"{}\" in {region}", alarm.state.name(), configuration.name);
    let printable = subject.chars().filter(|c| !c.is_control()).take(MAX_SUBJECT).collect();
    let message = json!({
        "AlarmName": configuration.name,
        "AlarmDescription": configuration.description,
        "AWSAccountId": ACCOUNT,
        "AlarmConfigurationUpdatedTimestamp": moment(alarm.configuration_updated.timestamp()),
        "NewStateValue": alarm.state.name(),
        "NewStateReason": alarm.state_reason,
        "StateChangeTime": moment(alarm.state_updated.timestamp()),
        "Region": region,
        "AlarmArn": arn(world, &configuration.name),
        "OldStateValue": before.name(),
        "OKActions": configuration.ok_actions,
        "AlarmActions": configuration.alarm_actions,
        "InsufficientDataActions": configuration.insufficient_data_actions,
        "Trigger": trigger(alarm),
    });
    (printable, message.to_string())
}

fn trigger(alarm: &Alarm) -> Value {
    let configuration = &alarm.configuration;
    let mut trigger = json!({
        "Period": configuration.watched.period_seconds(),
        "EvaluationPeriods": configuration.evaluation_periods,
        "DatapointsToAlarm": configuration.rule().datapoints_to_alarm,
        "ComparisonOperator": comparison_name(configuration.comparison),
        "Threshold": configuration.threshold,
        "TreatMissingData": configuration.treat_missing_data.map_or("", missing_name),
        "EvaluateLowSampleCountPercentile": configuration.evaluate_low_sample_count_percentile.as_deref().unwrap_or(""),
    });
    match &configuration.watched {
        Watched::Math(queries) => trigger["Metrics"] = queries.iter().map(Query::view).collect(),
        Watched::Metric(stat) => {
            let dimensions = stat.metric.dimensions.iter().map(|(name, value)| json!({"value": value, "name": name}));
            trigger["MetricName"] = json!(stat.metric.name);
            trigger["Namespace"] = json!(stat.metric.namespace);
            trigger["StatisticType"] = json!("Statistic");
            trigger["Statistic"] = json!(stat.statistic.to_string().to_uppercase());
            trigger["Unit"] = json!(stat.unit);
            trigger["Dimensions"] = dimensions.collect();
        }
    }
    trigger
}

/// A moment as alarms write it: `2026-01-02T03:04:05.678+0000`.
pub(super) fn moment(at: jiff::Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%3f+0000").to_string()
}

/// The name of a region that people read; its code where that is not known here.
fn region_name(code: &str) -> &str {
    match code {
        "us-east-1" => "US East (N. Virginia)",
        "us-east-2" => "US East (Ohio)",
        "us-west-1" => "US West (N. California)",
        "us-west-2" => "US West (Oregon)",
        "eu-central-1" => "EU (Frankfurt)",
        "eu-west-1" => "EU (Ireland)",
        other => other,
    }
}
