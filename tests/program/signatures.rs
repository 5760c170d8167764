//! A topic that signs with version 1, as a new one does: the worker refuses its orders unless it is told otherwise,
//! and SNS forgets them.

use std::time::Duration;

use crate::support::aws::{Aws, FAMILY, TOPIC};
use crate::support::manifest::Manifest;
use crate::support::up::Up;
use crate::support::wait::{holds, until};

const ORDER: &str = r#"{"bundle": 1}"#;
const REFUSED: &str = "signature version 1 is switched off";
const SOON: Duration = Duration::from_secs(20);

#[tokio::test]
async fn orders_signed_with_version_1_are_lost_until_the_topic_signs_with_2() {
    let up = Up::converged(&[]).await;
    let aws = up.aws();
    let before = up.nothing_is_lost().await.fulfilled;

    sign_with(&aws, "1").await;
    aws.sns.publish().topic_arn(TOPIC).message(ORDER).send().await.unwrap();
    until("the worker refuses the order", SOON, async || holds(refusals(&aws).await > 0, "no refusal")).await;

    sign_with(&aws, "2").await;
    aws.sns.publish().topic_arn(TOPIC).message(ORDER).send().await.unwrap();
    let after = up.fulfils_more(before, SOON).await;
    // SNS takes 403 for the end of it (AWS: SNS developer guide, "Amazon SNS message delivery retries").
    assert_eq!((after.fulfilled, refusals(&aws).await), (before + 1, 1));
}

#[tokio::test]
async fn a_worker_that_is_told_to_takes_version_1() {
    let manifest = Manifest::monolith();
    manifest.edit("environment: { ", r#"environment: { INTERSTELLA_SNS_SIGNATURE_V1: "true", "#);
    let up = Up::converged_on(manifest, &["--orders-per-minute", "600"]).await;
    sign_with(&up.aws(), "1").await;
    let before = up.stats().await;
    up.fulfils_more(before.published + 5, SOON).await;
    up.nothing_is_lost().await;
}

async fn sign_with(aws: &Aws, version: &str) {
    let set = aws.sns.set_topic_attributes().topic_arn(TOPIC).attribute_name("SignatureVersion");
    set.attribute_value(version).send().await.unwrap();
}

/// How often the worker has refused a message for its version.
async fn refusals(aws: &Aws) -> usize {
    let found = aws.logs.filter_log_events().log_group_name(FAMILY).filter_pattern(format!("\"{REFUSED}\"")).send();
    found.await.unwrap().events.unwrap_or_default().len()
}
