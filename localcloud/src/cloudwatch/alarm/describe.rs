//! Calls that show alarms and what happened to them.

use serde::Deserialize;
use serde_json::{Value, json};

use super::Alarm;
use super::history::Item;
use crate::call::{Answer, ApiError};
use crate::cloudwatch::query::{Dimension, MetricStat, Watched, by_name};
use crate::cloudwatch::read::moment;
use crate::cloudwatch::{MetricName, validation};
use crate::page::page;
use crate::world::World;

/// Alarms on a page unless the caller says otherwise.
const ALARMS: usize = 50;
/// Items of history on a page unless the caller says otherwise.
const ITEMS: usize = 100;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct DescribeAlarms {
    alarm_names: Option<Vec<String>>,
    alarm_name_prefix: Option<String>,
    #[serde(default)]
    alarm_types: Vec<String>,
    state_value: Option<String>,
    action_prefix: Option<String>,
    max_records: Option<usize>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct ForMetric {
    metric_name: String,
    namespace: String,
    statistic: Option<String>,
    extended_statistic: Option<String>,
    #[serde(default)]
    dimensions: Vec<Dimension>,
    period: Option<u32>,
    unit: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct DescribeHistory {
    alarm_name: Option<String>,
    #[serde(default)]
    alarm_types: Vec<String>,
    history_item_type: Option<String>,
    start_date: Option<f64>,
    end_date: Option<f64>,
    scan_by: Option<String>,
    max_records: Option<usize>,
    next_token: Option<String>,
}

/// Alarms that meet every filter, by name; a name that no alarm has is passed over.
pub(crate) fn describe(world: &World, input: &DescribeAlarms) -> Answer {
    if input.alarm_names.is_some() && input.alarm_name_prefix.is_some() {
        return Err(validation("AlarmNames and AlarmNamePrefix must not be given together."));
    }
    let metric_alarms = are_wanted(&input.alarm_types);
    let alarms = world.cloudwatch.alarms.values().filter(|alarm| metric_alarms && input.wants(alarm)).collect();
    let size = input.max_records.unwrap_or(ALARMS);
    let (alarms, next) = page(alarms, |alarm: &&Alarm| &alarm.configuration.name, input.next_token.as_deref(), size)
        .ok_or_else(invalid_token)?;
    let shown: Vec<Value> = alarms.iter().map(|alarm| alarm.view(world)).collect();
    Ok(json!({"MetricAlarms": shown, "CompositeAlarms": [], "LogAlarms": [], "NextToken": next}))
}

/// Alarms on exactly this metric.
pub(crate) fn for_metric(world: &World, input: ForMetric) -> Answer {
    let statistic = input.statistic.or(input.extended_statistic);
    let metric =
        MetricName { namespace: input.namespace, name: input.metric_name, dimensions: by_name(input.dimensions) };
    let wanted = |stat: &MetricStat| {
        stat.metric == metric
            && statistic.as_ref().is_none_or(|wanted| *wanted == stat.statistic.to_string())
            && input.period.is_none_or(|seconds| seconds == stat.period_seconds)
            && input.unit.as_ref().is_none_or(|unit| Some(unit) == stat.unit.as_ref())
    };
    let alarms = world.cloudwatch.alarms.values().filter(|alarm| match &alarm.configuration.watched {
        Watched::Metric(stat) => wanted(stat),
        Watched::Math(_) => false,
    });
    Ok(json!({"MetricAlarms": alarms.map(|alarm| alarm.view(world)).collect::<Vec<_>>()}))
}

/// What happened, newest first unless the caller says otherwise.
pub(crate) fn history(world: &World, input: &DescribeHistory) -> Answer {
    let metric_alarms = are_wanted(&input.alarm_types);
    let items = world.cloudwatch.history.items();
    let mut items: Vec<&Item> = items.filter(|item| metric_alarms && input.wants(item)).collect();
    if input.scan_by.as_deref() != Some("TimestampAscending") {
        items.reverse();
    }
    let size = input.max_records.unwrap_or(ITEMS);
    let (items, next) =
        page(items, |item| &item.sequence, input.next_token.as_deref(), size).ok_or_else(invalid_token)?;
    let show = |item: &&Item| {
        json!({
            "AlarmName": item.alarm,
            "AlarmType": "MetricAlarm",
            "Timestamp": item.at.as_epoch_seconds(),
            "HistoryItemType": item.kind,
            "HistorySummary": item.summary,
            "HistoryData": item.data,
        })
    };
    Ok(json!({"AlarmHistoryItems": items.iter().map(show).collect::<Vec<_>>(), "NextToken": next}))
}

fn are_wanted(types: &[String]) -> bool {
    types.is_empty() || types.iter().any(|wanted| wanted == "MetricAlarm")
}

fn invalid_token() -> ApiError {
    ApiError::new("InvalidNextToken", "The next token is not valid.")
}

impl DescribeAlarms {
    fn wants(&self, alarm: &Alarm) -> bool {
        let configuration = &alarm.configuration;
        let mut actions = configuration
            .ok_actions
            .iter()
            .chain(&configuration.alarm_actions)
            .chain(&configuration.insufficient_data_actions);
        self.alarm_names.as_ref().is_none_or(|names| names.contains(&configuration.name))
            && self.alarm_name_prefix.as_ref().is_none_or(|prefix| configuration.name.starts_with(prefix.as_str()))
            && self.state_value.as_ref().is_none_or(|state| state == alarm.state.name())
            && self.action_prefix.as_ref().is_none_or(|prefix| actions.any(|arn| arn.starts_with(prefix.as_str())))
    }
}

impl DescribeHistory {
    fn wants(&self, item: &Item) -> bool {
        let at = item.at.timestamp();
        self.alarm_name.as_ref().is_none_or(|name| *name == item.alarm)
            && self.history_item_type.as_ref().is_none_or(|kind| kind == item.kind)
            && self.start_date.is_none_or(|start| at >= moment(start))
            && self.end_date.is_none_or(|end| at <= moment(end))
    }
}
