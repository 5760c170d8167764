//! CloudWatch alarm that sets a step policy off. It is ours as a whole: actions that somebody adds by hand are taken out again, as
//! PutMetricAlarm replaces everything. Alarms that Application Auto Scaling made for its own policies are none of these.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_cloudwatch::operation::describe_alarms::DescribeAlarmsOutput;
use aws_sdk_cloudwatch::types::{Dimension, MetricAlarm, StandardUnit, Statistic, Tag};
use serde::Serialize;

use crate::app::{AppName, Marks, Tags};
use crate::aws::Aws;
use crate::batch::{self, Fetched};
use crate::diff::{self, Change, Edit};
use crate::error::{Class, Error};
use crate::manifest;
use crate::plan::{Summary, Verb};
use crate::resource::given::{self, Given};
use crate::resource::metric::{Dimensions, Source, word};
use crate::resource::scaling_policy::PREFIX;

/// What this is called in plans.
pub const RESOURCE: &str = "alarm";
/// Most names that one call takes.
const BATCH: usize = 100;

/// Normal form of an alarm.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Spec {
    /// Namespace of the metric; empty for an alarm on several.
    pub namespace: String,
    /// Name of the metric.
    pub metric_name: String,
    /// Its dimensions.
    pub dimensions: Dimensions,
    /// `Average` and so on, or a percentile such as `p99`.
    pub statistic: String,
    /// Seconds.
    pub period: u32,
    /// Periods that are looked at.
    pub evaluation_periods: u32,
    /// How many of them have to breach; absent in AWS = all.
    pub datapoints_to_alarm: u32,
    /// What is compared with.
    #[serde(serialize_with = "diff::number")]
    pub threshold: f64,
    /// How.
    pub comparison_operator: String,
    /// What a period without data counts as; absent in AWS = `missing`.
    pub treat_missing_data: String,
    /// Unit of the metric; absent = any.
    pub unit: Option<String>,
    /// Whether the actions happen at all.
    pub actions_enabled: bool,
    /// ARN of the policy that it sets off, alone.
    pub alarm_actions: BTreeSet<String>,
    /// What else happens, on other states: nothing.
    pub other_actions: BTreeSet<String>,
}

/// What the manifest says of an alarm; policy and dimensions are known once they exist.
#[derive(Debug, Clone, PartialEq)]
pub struct Wanted {
    /// Name, in AWS, of the policy that it sets off.
    pub policy: String,
    /// The manifest's alarm.
    pub alarm: manifest::StepAlarm,
}

impl Wanted {
    /// The normal form, or nothing while the dimensions are not known.
    #[must_use]
    pub fn to_spec(&self, source: &Source, policy_arn: &str) -> Option<Spec> {
        let alarm = &self.alarm;
        Some(Spec {
            namespace: alarm.namespace.clone(),
            metric_name: alarm.metric_name.clone(),
            dimensions: source.dimensions(&alarm.namespace, alarm.dimensions.as_ref())?,
            statistic: alarm.statistic.clone(),
            period: alarm.period,
            evaluation_periods: alarm.evaluation_periods,
            datapoints_to_alarm: alarm.datapoints_to_alarm.unwrap_or(alarm.evaluation_periods),
            threshold: alarm.threshold,
            comparison_operator: word(&alarm.comparison_operator),
            treat_missing_data: word(&alarm.treat_missing_data),
            unit: alarm.unit.clone(),
            actions_enabled: true,
            alarm_actions: [policy_arn.to_owned()].into(),
            other_actions: BTreeSet::new(),
        })
    }
}

/// An alarm in AWS.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Its name, which identifies it.
    pub name: String,
    /// Its tags.
    pub tags: Tags,
    /// What it is.
    pub spec: Spec,
}

/// An alarm whose tags are not read yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Untagged {
    /// Its name, which identifies it.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// What it is.
    pub spec: Spec,
}

impl Untagged {
    /// With its tags.
    #[must_use]
    pub fn tagged(self, tags: Tags) -> Found {
        Found { name: self.name, tags, spec: self.spec }
    }
}

/// What may be done to an alarm.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// PutMetricAlarm with our tags.
    Create {
        /// Its name.
        name: String,
        /// What it will be.
        spec: Box<Spec>,
        /// Our marks.
        marks: Marks,
    },
    /// PutMetricAlarm of an existing name: state and tags stay.
    Update {
        /// Its name.
        name: String,
        /// What changes.
        edit: Box<Edit<Spec>>,
    },
    /// DeleteAlarms.
    Delete {
        /// Its name.
        name: String,
    },
}

/// The alarms of the manifest's step policies by their names in AWS.
#[must_use]
pub fn desired(app: &AppName, wanted: &manifest::Scaling) -> BTreeMap<String, Wanted> {
    let alarm = |one: &manifest::StepScaling| {
        let wanted = Wanted { policy: format!("{PREFIX}{}", one.name), alarm: one.alarm.clone() };
        (format!("{PREFIX}{}.{}.{}", app.cluster, app.name, one.name), wanted)
    };
    wanted.step.iter().map(alarm).collect()
}

/// Reads alarms by name. An endpoint without the operation has none.
pub async fn observe(aws: &Aws, names: BTreeSet<String>) -> Fetched<Untagged> {
    batch::fetch(names, BATCH, |names: Vec<String>| async move {
        let pages = aws.read.cloudwatch.describe_alarms().set_alarm_names(Some(names)).into_paginator().send();
        match pages.try_collect().await.map_err(Error::of("cloudwatch:DescribeAlarms")) {
            Ok(pages) => {
                let alarms = pages.iter().flat_map(DescribeAlarmsOutput::metric_alarms);
                Ok(alarms.filter_map(|raw| Some((raw.alarm_name.clone()?, untagged(raw)))).collect())
            }
            Err(error) if error.class == Class::Unsupported => Ok(BTreeMap::new()),
            Err(error) => Err(error),
        }
    })
    .await
}

fn untagged(raw: &MetricAlarm) -> Untagged {
    let count = |value: Option<i32>| value.and_then(|value| u32::try_from(value).ok()).unwrap_or(0);
    let dimensions = raw.dimensions().iter().filter_map(|one| Some((one.name.clone()?, one.value.clone()?)));
    let simple = raw.statistic().given().map(Statistic::as_str).or(raw.extended_statistic());
    let others = raw.ok_actions().iter().chain(raw.insufficient_data_actions());
    let evaluation_periods = count(raw.evaluation_periods);
    Untagged {
        name: raw.alarm_name.clone().unwrap_or_default(),
        arn: raw.alarm_arn.clone().unwrap_or_default(),
        spec: Spec {
            namespace: raw.namespace.clone().unwrap_or_default(),
            metric_name: raw.metric_name.clone().unwrap_or_default(),
            dimensions: dimensions.collect(),
            statistic: simple.unwrap_or_default().to_owned(),
            period: count(raw.period),
            evaluation_periods,
            datapoints_to_alarm: raw.datapoints_to_alarm.map_or(evaluation_periods, |count_of| count(Some(count_of))),
            threshold: raw.threshold.unwrap_or_default(),
            comparison_operator: raw.comparison_operator().map_or("", |one| one.as_str()).to_owned(),
            treat_missing_data: raw.treat_missing_data.clone().given().unwrap_or_else(|| "missing".to_owned()),
            unit: raw.unit().given().map(|unit| unit.as_str().to_owned()),
            actions_enabled: raw.actions_enabled.unwrap_or(true),
            alarm_actions: given::names(raw.alarm_actions()),
            other_actions: others.filter(|action| !action.is_empty()).cloned().collect(),
        },
    }
}

/// Reads the tags of one alarm; absent when it is gone.
///
/// # Errors
/// When the read fails.
pub async fn observe_tags(aws: &Aws, arn: String) -> Result<Option<Tags>, Error> {
    let call = aws.read.cloudwatch.list_tags_for_resource().resource_arn(arn).send().await;
    match call.map_err(Error::of("cloudwatch:ListTagsForResource")) {
        Ok(answer) => {
            let tags = answer.tags.unwrap_or_default().into_iter();
            Ok(Some(tags.filter_map(|tag| Some((tag.key?, tag.value.unwrap_or_default()))).collect()))
        }
        Err(error) if error.class == Class::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Makes the call of one action.
///
/// # Errors
/// When it fails. An alarm that is gone already is no failure of its removal.
pub async fn apply(aws: &Aws, action: &Action) -> Result<(), Error> {
    match action {
        Action::Create { name, spec, marks } => put(aws, name, spec, Some(marks)).await,
        Action::Update { name, edit } => put(aws, name, &edit.to, None).await,
        Action::Delete { name } => {
            let call = aws.write.cloudwatch.delete_alarms().alarm_names(name).send().await;
            match call.map_err(Error::of("cloudwatch:DeleteAlarms")) {
                Err(error) if error.class != Class::NotFound => Err(error),
                _ => Ok(()),
            }
        }
    }
}

/// PutMetricAlarm takes tags of a new alarm only.
async fn put(aws: &Aws, name: &str, spec: &Spec, marks: Option<&Marks>) -> Result<(), Error> {
    let Spec {
        namespace,
        metric_name,
        dimensions,
        statistic,
        period,
        evaluation_periods,
        datapoints_to_alarm,
        threshold,
        comparison_operator,
        treat_missing_data,
        unit,
        actions_enabled,
        alarm_actions,
        other_actions,
    } = spec;
    let count = |value: &u32| i32::try_from(*value).unwrap_or(i32::MAX);
    let dimensions = dimensions.iter().map(|(name, value)| Dimension::builder().name(name).value(value).build());
    let tags = marks.map(|marks| marks.tags().map(|(key, value)| Tag::builder().key(key).value(value).build()).into());
    let is_simple = Statistic::values().contains(&statistic.as_str());
    let list = |set: &BTreeSet<String>| Some(set.iter().cloned().collect::<Vec<_>>());
    let call = aws.write.cloudwatch.put_metric_alarm().alarm_name(name).namespace(namespace).metric_name(metric_name);
    let call = call
        .set_dimensions(Some(dimensions.collect()))
        .set_statistic(is_simple.then(|| statistic.as_str().into()))
        .set_extended_statistic((!is_simple).then(|| statistic.clone()))
        .period(count(period))
        .evaluation_periods(count(evaluation_periods))
        .datapoints_to_alarm(count(datapoints_to_alarm))
        .threshold(*threshold)
        .comparison_operator(comparison_operator.as_str().into())
        .treat_missing_data(treat_missing_data)
        .set_unit(unit.as_deref().map(StandardUnit::from))
        .actions_enabled(*actions_enabled)
        .set_alarm_actions(list(alarm_actions))
        .set_ok_actions(list(other_actions))
        .set_tags(tags);
    call.send().await.map(drop).map_err(Error::of("cloudwatch:PutMetricAlarm"))
}

impl Action {
    /// What the action is, for people and programs.
    #[must_use]
    pub fn summary(&self) -> Summary {
        match self {
            Self::Create { name, spec, .. } => {
                Summary::new(Verb::Create, RESOURCE, name, in_units(diff::all(spec.as_ref()), spec))
            }
            Self::Update { name, edit } => {
                Summary::new(Verb::Update, RESOURCE, name, in_units(diff::diff(&edit.from, &edit.to), &edit.to))
            }
            Self::Delete { name } => Summary::new(Verb::Delete, RESOURCE, name, Vec::new()),
        }
    }
}

fn in_units(changes: Vec<Change>, spec: &Spec) -> Vec<Change> {
    diff::in_units(changes, |path| match path {
        "period" => Some("s".to_owned()),
        "evaluationPeriods" => Some(format!("periods of {} s", spec.period)),
        "datapointsToAlarm" => Some(format!("of {}", spec.evaluation_periods)),
        "threshold" => spec.unit.clone(),
        _ => None,
    })
}
