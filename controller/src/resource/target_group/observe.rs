//! Reading target groups: many in one call, their attributes and the health of their targets one by one.

use std::collections::BTreeSet;

use aws_sdk_elasticloadbalancingv2::types::{TargetDescription, TargetGroup};

use super::{ALGORITHM, Attributes, DELAY, Target};
use crate::aws::Aws;
use crate::batch::{self, Fetched};
use crate::error::{Class, Error};
use crate::resource::given::Given;

/// Most names or ARNs that one call takes, by practice.
const BATCH: usize = 20;
const DESCRIBE: &str = "elasticloadbalancing:DescribeTargetGroups";

/// Reads target groups by name.
pub async fn observe_names(aws: &Aws, names: BTreeSet<String>) -> Fetched<TargetGroup> {
    batch::fetch(names, BATCH, |names: Vec<String>| {
        let pages = aws.read.elb.describe_target_groups().set_names(Some(names)).into_paginator().items().send();
        batch::by_key(pages.try_collect(), Error::of(DESCRIBE), |one: &TargetGroup| one.target_group_name.clone())
    })
    .await
}

/// Reads target groups by ARN.
pub async fn observe_arns(aws: &Aws, arns: BTreeSet<String>) -> Fetched<TargetGroup> {
    batch::fetch(arns, BATCH, |arns: Vec<String>| {
        let call = aws.read.elb.describe_target_groups().set_target_group_arns(Some(arns));
        let pages = call.into_paginator().items().send();
        batch::by_key(pages.try_collect(), Error::of(DESCRIBE), |one: &TargetGroup| one.target_group_arn.clone())
    })
    .await
}

/// Reads the attributes of one target group; absent when it is gone.
///
/// # Errors
/// When the read fails.
pub async fn observe_attributes(aws: &Aws, arn: String) -> Result<Option<Attributes>, Error> {
    let call = aws.read.elb.describe_target_group_attributes().target_group_arn(arn).send().await;
    let found = match call.map_err(Error::of("elasticloadbalancing:DescribeTargetGroupAttributes")) {
        Err(error) if error.class == Class::NotFound => return Ok(None),
        answer => answer?,
    };
    let value = |key| found.attributes().iter().find(|one| one.key() == Some(key)).and_then(|one| one.value());
    Ok(Some(Attributes {
        deregistration_delay_seconds: value(DELAY).and_then(|seconds| seconds.parse().ok()).unwrap_or(300),
        algorithm: value(ALGORITHM).given().unwrap_or("round_robin").to_owned(),
    }))
}

/// Reads the health of one target group's targets. A group that is gone has none.
///
/// # Errors
/// When the read fails.
pub async fn observe_targets(aws: &Aws, arn: String) -> Result<Option<Vec<Target>>, Error> {
    let call = aws.read.elb.describe_target_health().target_group_arn(arn).send().await;
    let answer = match call.map_err(Error::of("elasticloadbalancing:DescribeTargetHealth")) {
        Err(error) if error.class == Class::NotFound => return Ok(None),
        answer => answer?,
    };
    let targets = answer.target_health_descriptions().iter().map(|one| {
        let id = one.target().and_then(|target| target.id()).unwrap_or_default();
        let port = one.target().and_then(TargetDescription::port).unwrap_or_default();
        let health = one.target_health();
        let state = health.and_then(|health| health.state()).map_or("", |state| state.as_str());
        let reason = health.and_then(|health| health.description()).unwrap_or_default();
        Target { id: format!("{id}:{port}"), state: state.to_owned(), reason: reason.to_owned() }
    });
    Ok(Some(targets.collect()))
}
