//! Reading subscriptions: all of a region, and the settings of one at a time.

use super::{Found, PENDING, Spec, region_of};
use crate::aws::Aws;
use crate::error::{Class, Error};

/// Reads all HTTP(S) subscriptions of a region, without their settings.
///
/// # Errors
/// When the read fails.
pub async fn observe(aws: &Aws, region: String) -> Result<Option<Vec<Found>>, Error> {
    let mut pages = aws.read.sns(&region).list_subscriptions().into_paginator().send();
    let mut found = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(Error::of("sns:ListSubscriptions"))?;
        found.extend(page.subscriptions().iter().filter_map(|one| {
            let endpoint = one.endpoint.clone()?;
            let host = endpoint.parse::<axum::http::Uri>().ok()?.host()?.to_ascii_lowercase();
            let arn = one.subscription_arn.clone().filter(|arn| arn.starts_with("arn:") && arn != PENDING);
            Some(Found { arn, topic: one.topic_arn.clone()?, endpoint, host, spec: None })
        }));
    }
    Ok(Some(found))
}

/// Whether a topic is there. Whoever may subscribe to one may not always look at it; then it is taken to be there.
///
/// # Errors
/// When the read fails.
pub async fn observe_topic(aws: &Aws, arn: String) -> Result<Option<bool>, Error> {
    let region = region_of(&arn).unwrap_or_else(|| aws.region()).to_owned();
    let call = aws.read.sns(&region).get_topic_attributes().topic_arn(arn).send().await;
    match call.map_err(Error::of("sns:GetTopicAttributes")) {
        Ok(_) => Ok(Some(true)),
        Err(error) if error.class == Class::NotFound => Ok(Some(false)),
        Err(error) if matches!(error.class, Class::Denied | Class::Unsupported) => Ok(Some(true)),
        Err(error) => Err(error),
    }
}

/// Reads the settings of one confirmed subscription; absent when it is gone.
///
/// # Errors
/// When the read fails.
pub async fn observe_spec(aws: &Aws, arn: String) -> Result<Option<Spec>, Error> {
    let region = region_of(&arn).unwrap_or_else(|| aws.region()).to_owned();
    let call = aws.read.sns(&region).get_subscription_attributes().subscription_arn(arn).send().await;
    let answer = match call.map_err(Error::of("sns:GetSubscriptionAttributes")) {
        Err(error) if error.class == Class::NotFound => return Ok(None),
        answer => answer?,
    };
    Ok(Some(Spec::from_aws(&answer.attributes.unwrap_or_default())))
}
