//! Attributes of subscriptions: which there are, what they may be, how they are shown.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::policy::{self, RedrivePolicy};
use super::subscription::{Named, Subscription, shown_bool};
use super::{invalid, not_found};
use crate::call::{Answer, ApiError};
use crate::world::{ACCOUNT, World};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Set {
    subscription_arn: String,
    attribute_name: String,
    #[serde(default)]
    attribute_value: String,
}

/// Shows all attributes.
pub(super) fn get(world: &World, input: &Named) -> Answer {
    let arn = &input.subscription_arn;
    let subscription = world.sns.subscriptions.get(arn).ok_or_else(|| not_found("Subscription"))?;
    let topic = world.sns.topics.get(&subscription.topic_arn).and_then(|topic| topic.policy.as_ref());
    let mut shown = Map::from_iter([
        ("SubscriptionArn".to_owned(), json!(arn)),
        ("TopicArn".to_owned(), json!(subscription.topic_arn)),
        ("Protocol".to_owned(), json!(subscription.protocol)),
        ("Endpoint".to_owned(), json!(subscription.endpoint)),
        ("Owner".to_owned(), json!(ACCOUNT)),
        ("SubscriptionPrincipal".to_owned(), json!(format!("arn:aws:iam::{ACCOUNT}:root"))),
        ("PendingConfirmation".to_owned(), shown_bool(subscription.pending)),
        ("ConfirmationWasAuthenticated".to_owned(), shown_bool(subscription.authenticated)),
        ("RawMessageDelivery".to_owned(), shown_bool(subscription.raw)),
    ]);
    if subscription.protocol == "http" {
        let effective = policy::effective(topic, subscription.policy.as_ref().map(|(_, policy)| policy));
        shown.insert("EffectiveDeliveryPolicy".to_owned(), Value::from(json!(effective).to_string()));
    }
    if let Some((text, _)) = &subscription.policy {
        shown.insert("DeliveryPolicy".to_owned(), json!(text));
    }
    if let Some((text, _)) = &subscription.redrive {
        shown.insert("RedrivePolicy".to_owned(), json!(text));
    }
    Ok(json!({ "Attributes": shown }))
}

/// Sets one attribute.
pub(super) fn set(world: &mut World, input: Set) -> Answer {
    let arn = input.subscription_arn;
    let mut changed = world.sns.subscriptions.get(&arn).ok_or_else(|| not_found("Subscription"))?.clone();
    assign(world, &mut changed, &input.attribute_name, &input.attribute_value)?;
    world.sns.subscriptions.insert(arn, changed);
    Ok(json!({}))
}

/// Gives an attribute to a subscription; an empty policy takes it away.
pub(super) fn assign(world: &World, subscription: &mut Subscription, name: &str, value: &str) -> Result<(), ApiError> {
    match (name, value) {
        ("DeliveryPolicy", "" | "{}") => subscription.policy = None,
        ("DeliveryPolicy", text) => {
            if subscription.protocol != "http" {
                return Err(invalid("DeliveryPolicy: only HTTP endpoints have one"));
            }
            let policy = policy::read_delivery_policy(text).map_err(invalid)?;
            subscription.policy = Some((text.to_owned(), policy));
        }
        ("RedrivePolicy", "" | "{}") => subscription.redrive = None,
        ("RedrivePolicy", text) => {
            subscription.redrive = Some((text.to_owned(), read_redrive_policy(world, text)?));
        }
        ("RawMessageDelivery", "true" | "false") => subscription.raw = value == "true",
        ("RawMessageDelivery", _) => return Err(invalid("RawMessageDelivery: must be true or false")),
        ("FilterPolicy", "" | "{}") => {}
        ("FilterPolicy" | "FilterPolicyScope" | "SubscriptionRoleArn" | "ReplayPolicy", _) => {
            return Err(ApiError::not_implemented(format!("the subscription attribute {name}")));
        }
        _ => return Err(invalid("AttributeName")),
    }
    Ok(())
}

/// Whether two subscriptions agree in an attribute.
pub(super) fn same(one: &Subscription, other: &Subscription, name: &str) -> bool {
    match name {
        "DeliveryPolicy" => {
            one.policy.as_ref().map(|(_, policy)| policy) == other.policy.as_ref().map(|(_, policy)| policy)
        }
        "RedrivePolicy" => {
            one.redrive.as_ref().map(|(_, redrive)| redrive) == other.redrive.as_ref().map(|(_, redrive)| redrive)
        }
        "RawMessageDelivery" => one.raw == other.raw,
        _ => true,
    }
}

fn read_redrive_policy(world: &World, text: &str) -> Result<RedrivePolicy, ApiError> {
    let policy: RedrivePolicy =
        serde_json::from_str(text).map_err(|error| invalid(format!("RedrivePolicy: {error}")))?;
    let prefix = world.arn("sqs", "");
    if !policy.dead_letter_target_arn.starts_with(&prefix) || policy.dead_letter_target_arn.len() == prefix.len() {
        return Err(invalid("RedrivePolicy: deadLetterTargetArn is an invalid arn"));
    }
    Ok(policy)
}
