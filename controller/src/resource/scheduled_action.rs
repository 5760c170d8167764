//! Scheduled action of Application Auto Scaling: a change of a scalable target's bounds at given times. The service has no tags for
//! it, so its name says that it is ours.

use aws_sdk_applicationautoscaling::types::{ScalableTargetAction, ScheduledAction};
use aws_smithy_types::DateTime;
use jiff::Timestamp;
use jiff::civil;
use jiff::tz::TimeZone;
use serde::Serialize;
use std::collections::BTreeMap;

use crate::app::AppName;
use crate::aws::Aws;
use crate::diff::{self, Change, Edit};
use crate::error::{Class, Error};
use crate::manifest;
use crate::plan::{Summary, Verb};
use crate::resource::given::Given;
use crate::resource::scalable_target::{DIMENSION, NAMESPACE, resource_id};
use crate::resource::scaling_policy::PREFIX;

/// What this is called in plans.
pub const RESOURCE: &str = "scheduled action";
/// AWS's default time zone.
const UTC: &str = "UTC";

/// Normal form of a scheduled action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Spec {
    /// `at(…)`, `rate(…)` or `cron(…)`.
    pub schedule: String,
    /// IANA name.
    pub timezone: String,
    /// Fewest tasks from then on; absent = as before.
    pub min_capacity: Option<u32>,
    /// Most tasks from then on; absent = as before.
    pub max_capacity: Option<u32>,
    /// When it begins to hold.
    pub start_time: Option<Timestamp>,
    /// When it no longer holds.
    pub end_time: Option<Timestamp>,
}

impl Spec {
    /// Whether it can never happen again, so that AWS would refuse to make it: a time that has passed. Whether AWS keeps such an
    /// action once it has happened is not documented.
    #[must_use]
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.end_time.is_some_and(|end| end <= now) || self.only_time().is_some_and(|at| at <= now)
    }

    /// The time of `at(yyyy-mm-ddThh:mm:ss)`.
    fn only_time(&self) -> Option<Timestamp> {
        let at = self.schedule.strip_prefix("at(")?.strip_suffix(')')?.trim();
        let at: civil::DateTime = at.parse().ok()?;
        let zone = TimeZone::get(&self.timezone).ok()?;
        Some(at.to_zoned(zone).ok()?.timestamp())
    }
}

/// A scheduled action in AWS.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Its name.
    pub name: String,
    /// What it is.
    pub spec: Spec,
}

/// What may be done to a scheduled action.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// PutScheduledAction of a new name.
    Create {
        /// The app, which names the scalable target.
        app: AppName,
        /// Its name.
        name: String,
        /// What it will be.
        spec: Spec,
    },
    /// PutScheduledAction of an existing name. AWS drops start and end unless they are sent again.
    Update {
        /// The app, which names the scalable target.
        app: AppName,
        /// Its name.
        name: String,
        /// What changes.
        edit: Box<Edit<Spec>>,
    },
    /// DeleteScheduledAction.
    Delete {
        /// The app, which names the scalable target.
        app: AppName,
        /// Its name.
        name: String,
    },
}

/// The manifest's scheduled actions by their names in AWS.
#[must_use]
pub fn desired(wanted: &manifest::Scaling) -> BTreeMap<String, Spec> {
    let spec = |one: &manifest::ScheduledAction| {
        let manifest::ScheduledAction { name, schedule, timezone, min_capacity, max_capacity, start_time, end_time } =
            one.clone();
        let time = |text: Option<String>| text.and_then(|text| text.parse().ok());
        let spec = Spec {
            schedule,
            timezone: timezone.unwrap_or_else(|| UTC.to_owned()),
            min_capacity,
            max_capacity,
            start_time: time(start_time),
            end_time: time(end_time),
        };
        (format!("{PREFIX}{name}"), spec)
    };
    wanted.scheduled.iter().map(spec).collect()
}

/// Reads scheduled actions by resource ID: those of one, or of all services of the account and region. The second part is how many
/// calls it took. An endpoint without the operation has none.
///
/// # Errors
/// When the read fails.
pub async fn observe(aws: &Aws, resource_id: Option<String>) -> Result<(BTreeMap<String, Vec<Found>>, usize), Error> {
    let call = aws.read.scaling.describe_scheduled_actions().service_namespace(NAMESPACE);
    let mut pages = call.set_resource_id(resource_id).into_paginator().send();
    let (mut found, mut calls) = (BTreeMap::<_, Vec<_>>::new(), 0);
    while let Some(page) = pages.next().await {
        calls += 1;
        let page = match page.map_err(Error::of("autoscaling:DescribeScheduledActions")) {
            Err(error) if error.class == Class::Unsupported => break,
            page => page?,
        };
        for raw in page.scheduled_actions() {
            found.entry(raw.resource_id.clone()).or_default().push(from_aws(raw));
        }
    }
    Ok((found, calls))
}

fn from_aws(raw: &ScheduledAction) -> Found {
    let bounds = raw.scalable_target_action();
    let count = |value: Option<i32>| value.and_then(|value| u32::try_from(value).ok());
    let time = |at: Option<&DateTime>| at.and_then(|at| Timestamp::from_second(at.secs()).ok());
    Found {
        name: raw.scheduled_action_name.clone(),
        spec: Spec {
            schedule: raw.schedule.clone(),
            timezone: raw.timezone.clone().given().unwrap_or_else(|| UTC.to_owned()),
            min_capacity: count(bounds.and_then(|one| one.min_capacity)),
            max_capacity: count(bounds.and_then(|one| one.max_capacity)),
            start_time: time(raw.start_time()),
            end_time: time(raw.end_time()),
        },
    }
}

/// Makes the call of one action.
///
/// # Errors
/// When it fails. An action that is gone already is no failure of its removal.
pub async fn apply(aws: &Aws, action: &Action) -> Result<(), Error> {
    match action {
        Action::Create { app, name, spec } => put(aws, app, name, spec).await,
        Action::Update { app, name, edit } => put(aws, app, name, &edit.to).await,
        Action::Delete { app, name } => {
            let call = aws.write.scaling.delete_scheduled_action().service_namespace(NAMESPACE);
            let call = call.resource_id(resource_id(app)).scalable_dimension(DIMENSION).scheduled_action_name(name);
            match call.send().await.map_err(Error::of("autoscaling:DeleteScheduledAction")) {
                Err(error) if error.class != Class::NotFound => Err(error),
                _ => Ok(()),
            }
        }
    }
}

async fn put(aws: &Aws, app: &AppName, name: &str, spec: &Spec) -> Result<(), Error> {
    let Spec { schedule, timezone, min_capacity, max_capacity, start_time, end_time } = spec;
    let count = |value: &Option<u32>| value.map(|value| i32::try_from(value).unwrap_or(i32::MAX));
    let bounds = ScalableTargetAction::builder().set_min_capacity(count(min_capacity));
    let bounds = bounds.set_max_capacity(count(max_capacity)).build();
    let time = |at: &Option<Timestamp>| at.map(|at| DateTime::from_secs(at.as_second()));
    // The default is sent too, or an earlier zone would stay; a rate has none.
    let timezone = Some(timezone.clone()).filter(|zone| zone != UTC || !schedule.starts_with("rate"));
    let call = aws.write.scaling.put_scheduled_action().service_namespace(NAMESPACE);
    let call = call.resource_id(resource_id(app)).scalable_dimension(DIMENSION).scheduled_action_name(name);
    let call = call.schedule(schedule).set_timezone(timezone).scalable_target_action(bounds);
    let call = call.set_start_time(time(start_time)).set_end_time(time(end_time));
    call.send().await.map(drop).map_err(Error::of("autoscaling:PutScheduledAction"))
}

impl Action {
    /// What the action is, for people and programs.
    #[must_use]
    pub fn summary(&self) -> Summary {
        match self {
            Self::Create { name, spec, .. } => Summary::new(Verb::Create, RESOURCE, name, in_units(diff::all(spec))),
            Self::Update { name, edit, .. } => {
                Summary::new(Verb::Update, RESOURCE, name, in_units(diff::diff(&edit.from, &edit.to)))
            }
            Self::Delete { name, .. } => Summary::new(Verb::Delete, RESOURCE, name, Vec::new()),
        }
    }
}

fn in_units(changes: Vec<Change>) -> Vec<Change> {
    diff::in_units(changes, |path| path.ends_with("Capacity").then(|| "tasks".to_owned()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_has_passed_is_over() {
        let now: Timestamp = "2026-12-01T12:00:00Z".parse().unwrap();
        let table = [
            ("at(2026-12-01T11:59:59)", "UTC", None, true),
            ("at(2026-12-01T12:00:01)", "UTC", None, false),
            ("at(2026-12-01T12:30:00)", "Europe/Berlin", None, true),
            ("at(2026-12-01T13:30:00)", "Europe/Berlin", None, false),
            ("cron(0 8 * * ? *)", "UTC", None, false),
            ("cron(0 8 * * ? *)", "UTC", Some("2026-12-01T12:00:00Z"), true),
            ("rate(1 hour)", "UTC", Some("2026-12-02T00:00:00Z"), false),
        ];
        for (schedule, timezone, end, over) in table {
            let spec = Spec {
                schedule: schedule.into(),
                timezone: timezone.into(),
                min_capacity: Some(1),
                max_capacity: None,
                start_time: None,
                end_time: end.map(|end: &str| end.parse().unwrap()),
            };
            assert_eq!(spec.is_over(now), over, "{schedule} {timezone} {end:?}");
        }
    }
}
