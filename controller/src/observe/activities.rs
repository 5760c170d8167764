//! What is read of auto scaling only when somebody asks how an app is: the states of all alarms that set policies off, those that AWS
//! made too, and the last activities.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_applicationautoscaling::types::ScalingActivity;
use aws_sdk_cloudwatch::types::{ComparisonOperator, MetricAlarm};
use aws_smithy_types::DateTime;
use jiff::Timestamp;
use serde_json::Value;

use crate::app::AppName;
use crate::aws::Aws;
use crate::batch;
use crate::error::{Class, Error};
use crate::observe::newest;
use crate::resource::scalable_target::{NAMESPACE, resource_id};
use crate::status::AppStatus;
use crate::status::scaling::{self, Activity, Alarm};

/// Most activities that are told.
const ACTIVITIES: usize = 5;
/// Most names that one call of DescribeAlarms takes.
const BATCH: usize = 100;

/// Adds alarms, activities and the reason why nothing happens to the status of an app that scales. An endpoint that lacks the
/// operations leaves it as it was. `now` tells which cooldowns run, unless what AWS has on record is later: the time of a local
/// cloud may pass faster than ours.
///
/// # Errors
/// When a read fails; the status is then as it was.
pub async fn explain(aws: &Aws, status: &mut AppStatus, now: Timestamp) -> Result<(), Error> {
    match try_to_explain(aws, status, now).await {
        Err(error) if error.class == Class::Unsupported => Ok(()),
        explained => explained,
    }
}

async fn try_to_explain(aws: &Aws, status: &mut AppStatus, now: Timestamp) -> Result<(), Error> {
    let Some(known) = &status.scaling else { return Ok(()) };
    let mut told = known.clone();
    let app = AppName { cluster: status.cluster.clone(), name: status.name.clone() };
    told.activities = activities(aws, &app).await?;
    let names = told.policies.iter().flat_map(|policy| policy.alarms.iter().map(|alarm| alarm.name.clone())).collect();
    let raw = alarms(aws, names).await?;
    let ended = told.activities.iter().flat_map(|one| [Some(one.time), one.ended]).flatten();
    let updates = raw.values().filter_map(|one| one.state_updated_timestamp().and_then(timestamp));
    let now = ended.chain(updates).fold(now, Timestamp::max);
    let values = newest::values(aws, &raw.values().collect::<Vec<_>>(), now).await?;
    let now = values.values().map(|(at, _)| *at).fold(now, Timestamp::max);
    for one in told.policies.iter_mut().flat_map(|policy| &mut policy.alarms) {
        if let Some(found) = raw.get(&one.name) {
            *one = alarm(found, values.get(&one.name).map(|(_, value)| *value));
        }
    }
    told.why = Some(scaling::why(&told, now));
    status.scaling = Some(told);
    Ok(())
}

/// The newest ones, also those that changed nothing. Only the first page is read: it has the newest.
async fn activities(aws: &Aws, app: &AppName) -> Result<Vec<Activity>, Error> {
    let call = aws.read.scaling.describe_scaling_activities().service_namespace(NAMESPACE);
    let call = call.resource_id(resource_id(app)).include_not_scaled_activities(true).send().await;
    let found = call.map_err(Error::of("autoscaling:DescribeScalingActivities"))?;
    Ok(found.scaling_activities().iter().take(ACTIVITIES).map(activity).collect())
}

fn activity(raw: &ScalingActivity) -> Activity {
    let reasons: Vec<&str> = raw.not_scaled_reasons().iter().map(|one| one.code.as_str()).collect();
    let not = if reasons.is_empty() { String::new() } else { format!(" (not scaled: {})", reasons.join(", ")) };
    Activity {
        time: timestamp(&raw.start_time).unwrap_or_default(),
        ended: raw.end_time().and_then(timestamp),
        // AWS calls these failed, although nothing went wrong.
        status: if reasons.is_empty() { raw.status_code.as_str().to_owned() } else { "NotScaled".to_owned() },
        cause: raw.cause.clone(),
        description: format!("{}{not}", raw.description),
    }
}

async fn alarms(aws: &Aws, names: BTreeSet<String>) -> Result<BTreeMap<String, MetricAlarm>, Error> {
    let fetched = batch::fetch(names.clone(), BATCH, |names: Vec<String>| async move {
        let pages = aws.read.cloudwatch.describe_alarms().set_alarm_names(Some(names)).into_paginator().send();
        let pages = pages.try_collect().await.map_err(Error::of("cloudwatch:DescribeAlarms"))?;
        let found = pages.into_iter().flat_map(|page| page.metric_alarms.unwrap_or_default());
        Ok(found.filter_map(|one| Some((one.alarm_name.clone()?, one))).collect())
    });
    let fetched = fetched.await;
    let found = names.into_iter().map(|name| Ok(batch::get(&fetched, &name)?.map(|alarm| (name, alarm))));
    Ok(found.collect::<Result<Vec<_>, Error>>()?.into_iter().flatten().collect())
}

/// `newest` is the newest value of its metric; without it the newest that led to the state is told.
fn alarm(raw: &MetricAlarm, newest: Option<f64>) -> Alarm {
    let above = |one: &ComparisonOperator| one.as_str().starts_with("Greater");
    Alarm {
        name: raw.alarm_name.clone().unwrap_or_default(),
        state: raw.state_value().map(|state| state.as_str().to_owned()),
        reason: raw.state_reason.clone(),
        last_value: newest.or_else(|| raw.state_reason_data().and_then(last_value)),
        updated: raw.state_updated_timestamp().and_then(timestamp),
        is_high: raw.comparison_operator().is_none_or(above),
    }
}

/// The newest of `recentDatapoints`, which come oldest first (AWS: DescribeAlarms, StateReasonData).
fn last_value(data: &str) -> Option<f64> {
    let data: Value = serde_json::from_str(data).ok()?;
    data.get("recentDatapoints")?.as_array()?.iter().rev().find_map(Value::as_f64)
}

fn timestamp(at: &DateTime) -> Option<Timestamp> {
    Timestamp::from_second(at.secs()).ok()
}
