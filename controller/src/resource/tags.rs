//! Tags as each service spells them, and the index of everything tagged: Resource Groups Tagging.
//!
//! The index only finds candidates for removal; it lags, so whoever deletes looks at the resource itself first.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_elasticloadbalancingv2 as elb;
use aws_sdk_resourcegroupstagging::types::TagFilter;

use crate::app::{APP_TAG, MANAGER_TAG, Manager, Marks, Tags};
use crate::aws::Aws;
use crate::batch::{self, Fetched};
use crate::error::{Class, Error};

/// Most resources that one call of DescribeTags takes.
const BATCH: usize = 20;
/// What a live app can leave over; services are found by their name.
const TYPES: [&str; 4] =
    ["elasticloadbalancing", "logs", "application-autoscaling:scalable-target", "cloudwatch:alarm"];
/// What else an app that goes can leave over.
const REVISIONS: &str = "ecs:task-definition";

/// What only shows which apps there are.
const SERVICES: &str = "ecs:service";

/// ARNs of everything tagged as the manager's, by the value of the app tag.
pub type Index = BTreeMap<String, BTreeSet<String>>;

/// What of an app the index is read for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// What a live app can leave over.
    Live,
    /// That, and the revisions that an app which goes can leave over.
    Going,
    /// Everything, services too, to find apps by.
    Everything,
}

/// Reads the index. An endpoint without the operation has no record.
///
/// # Errors
/// When the read fails; what is there is then unknown.
pub async fn index(aws: &Aws, manager: &Manager, scope: Scope) -> Result<Index, Error> {
    let filter = TagFilter::builder().key(MANAGER_TAG).values(&manager.0).build();
    let call = aws.read.tagging.get_resources().tag_filters(filter);
    let more: &[&str] = match scope {
        Scope::Live => &[],
        Scope::Going => &[REVISIONS],
        Scope::Everything => &[REVISIONS, SERVICES],
    };
    let types = TYPES.iter().chain(more).map(|name| (*name).to_owned());
    let call = call.set_resource_type_filters(Some(types.collect()));
    let mut pages = call.into_paginator().send();
    let mut index = Index::new();
    while let Some(page) = pages.next().await {
        let page = match page.map_err(Error::of("tagging:GetResources")) {
            Ok(page) => page,
            Err(error) if error.class == Class::Unsupported => return Ok(Index::new()),
            Err(error) => return Err(error),
        };
        for found in page.resource_tag_mapping_list.unwrap_or_default() {
            let app = found.tags().iter().find(|tag| tag.key() == APP_TAG).map(|tag| tag.value().to_owned());
            if let (Some(app), Some(arn)) = (app, found.resource_arn) {
                index.entry(app).or_default().insert(arn);
            }
        }
    }
    Ok(index)
}

/// Tags of load balancers, target groups and listeners, by ARN. What is gone is absent.
pub async fn observe_elb(aws: &Aws, arns: BTreeSet<String>) -> Fetched<Tags> {
    batch::fetch(arns, BATCH, |arns: Vec<String>| async move {
        let call = aws.read.elb.describe_tags().set_resource_arns(Some(arns)).send().await;
        let found = call.map_err(Error::of("elasticloadbalancing:DescribeTags"))?.tag_descriptions.unwrap_or_default();
        Ok(found.into_iter().filter_map(|one| Some((one.resource_arn.clone()?, from_elb(one.tags())))).collect())
    })
    .await
}

fn from_elb(tags: &[elb::types::Tag]) -> Tags {
    tags.iter().filter_map(|tag| Some((tag.key.clone()?, tag.value.clone().unwrap_or_default()))).collect()
}

/// Our marks for a create call of Elastic Load Balancing.
#[must_use]
pub fn for_elb(marks: &Marks) -> Vec<elb::types::Tag> {
    marks.tags().into_iter().map(|(key, value)| elb::types::Tag::builder().key(key).value(value).build()).collect()
}

/// Tags of an ECS resource.
#[must_use]
pub fn from_ecs(tags: &[aws_sdk_ecs::types::Tag]) -> Tags {
    tags.iter().filter_map(|tag| Some((tag.key.clone()?, tag.value.clone().unwrap_or_default()))).collect()
}

/// Our marks for a create call of ECS, with more tags of ours.
#[must_use]
pub fn for_ecs(marks: &Marks, more: &[(&str, &str)]) -> Vec<aws_sdk_ecs::types::Tag> {
    let tag = |key: &str, value: &str| aws_sdk_ecs::types::Tag::builder().key(key).value(value).build();
    let ours = marks.tags().into_iter().map(|(key, value)| tag(key, &value));
    ours.chain(more.iter().map(|(key, value)| tag(key, value))).collect()
}
