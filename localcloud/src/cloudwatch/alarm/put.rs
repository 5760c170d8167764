//! PutMetricAlarm: reads and checks a configuration, and gives it to an alarm.

use std::collections::BTreeMap;
use std::sync::Arc;

use interstella_autoscaling::alarm::State;
use interstella_autoscaling::series::is_period;
use serde::Deserialize;
use serde_json::json;

use super::tags::Tag;
use super::{Alarm, AlarmConfiguration, comparison, missing};
use crate::call::{Answer, ApiError};
use crate::clock::CloudTime;
use crate::cloudwatch::query::{Dimension, MetricStat, Query, QueryInput, Watched, by_name, statistic};
use crate::cloudwatch::read::unique;
use crate::cloudwatch::store::Store;
use crate::cloudwatch::{MetricName, invalid_combination, validation};
use crate::region;
use crate::world::World;

/// Seconds over which an alarm may look: a day, or a week with periods of an hour and more.
const DAY: u64 = 86_400;
const WEEK: u64 = 7 * DAY;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct PutMetricAlarm {
    alarm_name: String,
    alarm_description: Option<String>,
    actions_enabled: Option<bool>,
    #[serde(default, rename = "OKActions")]
    ok_actions: Vec<String>,
    #[serde(default)]
    alarm_actions: Vec<String>,
    #[serde(default)]
    insufficient_data_actions: Vec<String>,
    metric_name: Option<String>,
    namespace: Option<String>,
    statistic: Option<String>,
    extended_statistic: Option<String>,
    #[serde(default)]
    dimensions: Vec<Dimension>,
    period: Option<u32>,
    unit: Option<String>,
    metrics: Option<Vec<QueryInput>>,
    evaluation_periods: Option<u32>,
    datapoints_to_alarm: Option<u32>,
    threshold: Option<f64>,
    comparison_operator: Option<String>,
    treat_missing_data: Option<String>,
    evaluate_low_sample_count_percentile: Option<String>,
    #[serde(default)]
    tags: Vec<Tag>,
}

/// Makes or overwrites an alarm. Tags of an existing alarm stay as they are (AWS: PutMetricAlarm, "Tags").
pub(crate) fn put(world: &mut World, now: CloudTime, input: PutMetricAlarm) -> Answer {
    let (configuration, tags) = input.read(&world.region)?;
    let watched = &configuration.watched;
    let (n, seconds) = (configuration.evaluation_periods, watched.period_seconds());
    check_span(n, seconds)?;
    if let Watched::Math(queries) = watched {
        check_queries(queries)?;
        // An expression that cannot be evaluated over nothing cannot be evaluated at all, but for what lacks values.
        let tried = watched.points(&Store::default(), now.timestamp(), 1);
        tried
            .map(drop)
            .or_else(|error| if error.message.ends_with("a series has no values") { Ok(()) } else { Err(error) })?;
    }
    configure(world, now, configuration, tags);
    Ok(json!({}))
}

/// Gives an alarm its configuration: the same one again changes nothing.
pub(crate) fn configure(
    world: &mut World,
    now: CloudTime,
    configuration: AlarmConfiguration,
    tags: BTreeMap<String, String>,
) {
    let cloudwatch = &mut world.cloudwatch;
    let history = Arc::make_mut(&mut cloudwatch.history);
    match cloudwatch.alarms.get_mut(&configuration.name) {
        Some(alarm) if alarm.configuration == configuration => (),
        Some(alarm) => {
            history.configured(now, "updated", &configuration);
            alarm.configuration = configuration;
            alarm.configuration_updated = now;
        }
        None => {
            history.configured(now, "created", &configuration);
            let alarm = Alarm {
                configuration_updated: now,
                state: State::InsufficientData,
                state_reason: "Unchecked: Initial alarm creation".to_owned(),
                state_reason_data: None,
                datapoints: Vec::new(),
                state_updated: now,
                state_transitioned: now,
                tags,
                configuration,
            };
            cloudwatch.alarms.insert(alarm.configuration.name.clone(), alarm);
        }
    }
    world.start_metrics(now);
}

impl PutMetricAlarm {
    fn read(mut self, own_region: &str) -> Result<(AlarmConfiguration, BTreeMap<String, String>), ApiError> {
        let watched = self.watched()?;
        let evaluation_periods = self.evaluation_periods.ok_or_else(|| required("EvaluationPeriods"))?;
        if self.datapoints_to_alarm.is_some_and(|m| m > evaluation_periods) {
            return Err(validation("DatapointsToAlarm must be less than or equal to EvaluationPeriods."));
        }
        let operator = self.comparison_operator.ok_or_else(|| required("ComparisonOperator"))?;
        let comparison = comparison(&operator)
            .ok_or_else(|| ApiError::not_implemented(format!("alarms on anomaly detection ({operator})")))?;
        let treat_missing_data = self.treat_missing_data.as_deref().map(read_missing).transpose()?;
        for action in self.ok_actions.iter().chain(&self.alarm_actions).chain(&self.insufficient_data_actions) {
            check_action(own_region, action)?;
        }
        let configuration = AlarmConfiguration {
            name: self.alarm_name,
            description: self.alarm_description,
            actions_enabled: self.actions_enabled.unwrap_or(true),
            ok_actions: self.ok_actions,
            alarm_actions: self.alarm_actions,
            insufficient_data_actions: self.insufficient_data_actions,
            watched,
            comparison,
            threshold: self.threshold.ok_or_else(|| required("Threshold"))?,
            evaluation_periods,
            datapoints_to_alarm: self.datapoints_to_alarm,
            treat_missing_data,
            evaluate_low_sample_count_percentile: self.evaluate_low_sample_count_percentile,
        };
        Ok((configuration, self.tags.into_iter().map(|tag| (tag.key, tag.value)).collect()))
    }

    /// Either one metric by members of its own, or queries.
    fn watched(&mut self) -> Result<Watched, ApiError> {
        let Some(queries) = self.metrics.take() else { return self.metric().map(Watched::Metric) };
        let alone = self.metric_name.is_none() && self.namespace.is_none() && self.dimensions.is_empty();
        if !alone || self.period.is_some() || self.statistic.is_some() || self.extended_statistic.is_some() {
            return Err(invalid_combination(
                "With Metrics, the parameters MetricName, Namespace, Dimensions, Period, Statistic and ExtendedStatistic \
                 must not be given.",
            ));
        }
        queries.into_iter().map(QueryInput::read).collect::<Result<_, _>>().map(Watched::Math)
    }

    fn metric(&mut self) -> Result<MetricStat, ApiError> {
        let name = self.metric_name.take().ok_or_else(|| required("MetricName"))?;
        let namespace = self.namespace.take().ok_or_else(|| required("Namespace"))?;
        let ((Some(of), None) | (None, Some(of))) = (self.statistic.take(), self.extended_statistic.take()) else {
            return Err(invalid_combination(
                "Exactly one of the parameters Statistic and ExtendedStatistic is needed.",
            ));
        };
        let dimensions = by_name(std::mem::take(&mut self.dimensions));
        Ok(MetricStat {
            metric: MetricName { namespace, name, dimensions },
            statistic: statistic(&of)?,
            period_seconds: self.period.ok_or_else(|| required("Period"))?,
            unit: self.unit.take(),
        })
    }
}

fn required(parameter: &str) -> ApiError {
    ApiError::new("MissingParameter", format!("The parameter {parameter} is required."))
}

fn read_missing(name: &str) -> Result<interstella_autoscaling::alarm::Missing, ApiError> {
    let text = "is not one of missing, ignore, breaching and notBreaching";
    missing(name).ok_or_else(|| validation(format!("The value '{name}' of TreatMissingData {text}.")))
}

/// Topics and scaling policies are what an alarm can reach here, in its own region as on AWS.
fn check_action(own_region: &str, arn: &str) -> Result<(), ApiError> {
    if !arn.starts_with("arn:") {
        return Err(validation(format!("Invalid arn syntax: {arn}")));
    }
    if let Some(region) = region::of_arn(arn).filter(|region| *region != own_region) {
        return Err(validation(format!("Invalid region {region} specified. Only {own_region} is supported.")));
    }
    if arn.starts_with("arn:aws:sns:") || arn.starts_with("arn:aws:autoscaling:") {
        return Ok(());
    }
    Err(ApiError::not_implemented(format!("the alarm action {arn}; SNS topics and scaling policies are")))
}

fn check_span(evaluation_periods: u32, seconds: u32) -> Result<(), ApiError> {
    if !is_period(seconds) {
        return Err(validation(format!("The period {seconds} is invalid: it is 10, 20, 30 or a multiple of 60.")));
    }
    let (most, words) = if seconds >= 3600 { (WEEK, "a week") } else { (DAY, "a day") };
    if u64::from(evaluation_periods) * u64::from(seconds) > most {
        let text = format!("Metrics cannot be checked across more than {words}");
        return Err(validation(format!("{text} (EvaluationPeriods * Period must be <= {most}).")));
    }
    Ok(())
}

fn check_queries(queries: &[Query]) -> Result<(), ApiError> {
    unique(queries)?;
    if queries.iter().filter(|query| query.return_data).count() != 1 {
        return Err(validation("Exactly one element of the metrics list should return data."));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_bounded() {
        let cases =
            [(1440, 60, true), (1441, 60, false), (168, 3600, true), (169, 3600, false), (3, 20, true), (3, 45, false)];
        for (n, seconds, fine) in cases {
            assert_eq!(check_span(n, seconds).is_ok(), fine, "{n} × {seconds}");
        }
    }
}
