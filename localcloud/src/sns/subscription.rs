//! Subscriptions: subscribing, confirming, unsubscribing, listing.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::policy::{DeliveryPolicy, RedrivePolicy};
use super::{Timer, delivery, endpoint, invalid, list_page, not_found, subscription_attributes, topic};
use crate::call::{Answer, ApiError};
use crate::clock::CloudTime;
use crate::sqs;
use crate::world::{self, ACCOUNT, World};

/// How long a token can be used.
const TOKEN_LIFE: Duration = Duration::from_hours(48);
/// Tokens that can be used at once; the oldest give way.
const MAX_TOKENS: usize = 5_000;
/// Subscriptions that wait to be confirmed at once (AWS: quotas of SNS).
const MAX_PENDING: usize = 5_000;
/// How long a subscription waits to be confirmed.
const PENDING_LIFE: Duration = Duration::from_hours(72);

/// A subscription.
#[derive(Debug, Clone, Default)]
pub struct Subscription {
    pub(super) topic_arn: String,
    pub(super) protocol: String,
    pub(super) endpoint: String,
    /// Not confirmed yet: gets nothing but confirmations.
    pub(super) pending: bool,
    /// Whether whoever confirmed it asked that only the owner may end it.
    pub(super) authenticated: bool,
    pub(super) raw: bool,
    /// `DeliveryPolicy` as it was given and as it was read.
    pub(super) policy: Option<(String, DeliveryPolicy)>,
    /// `RedrivePolicy` as it was given and as it was read.
    pub(super) redrive: Option<(String, RedrivePolicy)>,
    /// Earliest moment of the next attempt under a throttle policy.
    pub(super) next_attempt: CloudTime,
}

/// A confirmation token that was sent.
#[derive(Debug, Clone)]
pub struct Token {
    topic_arn: String,
    subscription_arn: String,
    issued: CloudTime,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Subscribe {
    topic_arn: String,
    protocol: String,
    #[serde(default)]
    endpoint: String,
    #[serde(default)]
    attributes: BTreeMap<String, String>,
    #[serde(default)]
    return_subscription_arn: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Confirm {
    topic_arn: String,
    token: String,
    authenticate_on_unsubscribe: Option<String>,
}

impl Confirm {
    pub(super) fn new(topic_arn: &str, token: &str) -> Self {
        Self { topic_arn: topic_arn.to_owned(), token: token.to_owned(), authenticate_on_unsubscribe: None }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Named {
    pub(super) subscription_arn: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct List {
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct ListByTopic {
    topic_arn: String,
    next_token: Option<String>,
}

/// Subscribes an endpoint. HTTP endpoints have to confirm; asking again while that is pending sends another token.
pub(super) fn subscribe(world: &mut World, now: CloudTime, input: Subscribe) -> Answer {
    topic::find(world, &input.topic_arn)?;
    check_endpoint(world, &input.protocol, &input.endpoint)?;
    let mut wanted = Subscription {
        topic_arn: input.topic_arn,
        pending: input.protocol != "sqs",
        authenticated: input.protocol == "sqs",
        protocol: input.protocol,
        endpoint: input.endpoint,
        ..Subscription::default()
    };
    for (name, value) in &input.attributes {
        subscription_attributes::assign(world, &mut wanted, name, value)?;
    }
    let arn = match find_same(world, &wanted) {
        Some((arn, there)) => {
            let differs = |name: &String| !subscription_attributes::same(there, &wanted, name);
            if input.attributes.keys().any(differs) {
                return Err(invalid("Attributes Reason: Subscription already exists with different attributes"));
            }
            arn
        }
        None => {
            check_quota(world, &wanted)?;
            add(world, now, wanted)
        }
    };
    let pending = world.sns.subscriptions.get(&arn).is_some_and(|subscription| subscription.pending);
    if pending {
        send_confirmation(world, now, &arn);
    }
    let shown = if pending && !input.return_subscription_arn { "pending confirmation" } else { &arn };
    Ok(json!({ "SubscriptionArn": shown }))
}

/// Confirms a subscription by its token.
pub(super) fn confirm(world: &mut World, now: CloudTime, input: &Confirm) -> Answer {
    topic::find(world, &input.topic_arn)?;
    let token = world.sns.tokens.get(&input.token).filter(|token| now.since(token.issued) < TOKEN_LIFE);
    let token = token.filter(|token| token.topic_arn == input.topic_arn).ok_or_else(|| invalid("Token"))?;
    let arn = token.subscription_arn.clone();
    let subscription = world.sns.subscriptions.get_mut(&arn).ok_or_else(|| not_found("Subscription"))?;
    subscription.pending = false;
    subscription.authenticated |= input.authenticate_on_unsubscribe.as_deref() == Some("true");
    Ok(json!({ "SubscriptionArn": arn }))
}

/// Ends a subscription and says so to its endpoint. (AWS says so only after an unauthenticated call, which a call here does not show.)
pub(super) fn unsubscribe(world: &mut World, now: CloudTime, input: &Named) -> Answer {
    let arn = &input.subscription_arn;
    if !arn.starts_with("arn:") {
        return Err(invalid("SubscriptionArn Reason: An ARN must have at least 6 elements, not 1"));
    }
    match world.sns.subscriptions.get(arn) {
        None => return Ok(json!({})),
        Some(subscription) if subscription.pending => {
            return Err(invalid(
                "SubscriptionArn Reason: a subscription that is pending confirmation cannot be deleted",
            ));
        }
        Some(_) => {}
    }
    let Some(subscription) = world.sns.subscriptions.remove(arn) else { return Ok(json!({})) };
    if let Some(topic) = world.sns.topics.get_mut(&subscription.topic_arn) {
        topic.deleted_subscriptions += 1;
    }
    if subscription.protocol == "http" {
        let token = issue_token(world, now, &subscription.topic_arn, arn);
        delivery::send_farewell(world, now, arn, &subscription, &token);
    }
    Ok(json!({}))
}

/// Lists all subscriptions.
pub(super) fn list(world: &World, input: &List) -> Answer {
    show_page(world.sns.subscriptions.iter().collect(), input.next_token.as_deref())
}

/// Lists a topic's subscriptions.
pub(super) fn list_by_topic(world: &World, input: &ListByTopic) -> Answer {
    topic::find(world, &input.topic_arn)?;
    let of_topic = |(_, subscription): &(&String, &Subscription)| subscription.topic_arn == input.topic_arn;
    show_page(world.sns.subscriptions.iter().filter(of_topic).collect(), input.next_token.as_deref())
}

/// Removes the subscription if it is still not confirmed.
pub(super) fn expire_pending(world: &mut World, arn: &str) {
    if world.sns.subscriptions.get(arn).is_some_and(|subscription| subscription.pending) {
        world.sns.subscriptions.remove(arn);
    }
}

fn show_page(subscriptions: Vec<(&String, &Subscription)>, token: Option<&str>) -> Answer {
    list_page(
        "Subscriptions",
        subscriptions,
        |(arn, _)| arn.as_str(),
        token,
        |(arn, subscription)| {
            let shown = if subscription.pending { "PendingConfirmation" } else { arn.as_str() };
            json!({
                "SubscriptionArn": shown,
                "Owner": ACCOUNT,
                "Protocol": subscription.protocol,
                "Endpoint": subscription.endpoint,
                "TopicArn": subscription.topic_arn,
            })
        },
    )
}

/// The subscription of the same endpoint to the same topic by the same protocol.
fn find_same<'a>(world: &'a World, wanted: &Subscription) -> Option<(String, &'a Subscription)> {
    let is_same = |(_, there): &(&String, &Subscription)| {
        there.endpoint == wanted.endpoint && there.topic_arn == wanted.topic_arn && there.protocol == wanted.protocol
    };
    let (arn, there) = world.sns.subscriptions.iter().find(is_same)?;
    Some((arn.clone(), there))
}

fn add(world: &mut World, now: CloudTime, subscription: Subscription) -> String {
    let arn = format!("{}:{}", subscription.topic_arn, world.ids.uuid());
    if subscription.pending {
        let timer = Timer::ExpirePending { subscription_arn: arn.clone() };
        world.timers.set(now.after(PENDING_LIFE), world::Timer::Sns(timer));
    }
    world.sns.subscriptions.insert(arn.clone(), subscription);
    arn
}

fn send_confirmation(world: &mut World, now: CloudTime, arn: &str) {
    let Some(subscription) = world.sns.subscriptions.get(arn).cloned() else { return };
    let token = issue_token(world, now, &subscription.topic_arn, arn);
    delivery::send_confirmation(world, now, arn, &subscription, &token);
}

/// Makes a token of 256 hexadecimal digits; those before it stay usable for as long as they live.
fn issue_token(world: &mut World, now: CloudTime, topic_arn: &str, subscription_arn: &str) -> String {
    if world.sns.tokens.len() >= MAX_TOKENS {
        world.sns.tokens.retain(|_, token| now.since(token.issued) < TOKEN_LIFE);
    }
    if world.sns.tokens.len() >= MAX_TOKENS {
        let oldest = world.sns.tokens.iter().min_by_key(|(_, token)| token.issued).map(|(text, _)| text.clone());
        oldest.and_then(|text| world.sns.tokens.remove(&text));
    }
    let text: String = (0..8).map(|_| world.ids.hex(32)).collect();
    let token = Token { topic_arn: topic_arn.to_owned(), subscription_arn: subscription_arn.to_owned(), issued: now };
    world.sns.tokens.insert(text.clone(), token);
    text
}

fn check_quota(world: &World, wanted: &Subscription) -> Result<(), ApiError> {
    let pending = || world.sns.subscriptions.values().filter(|subscription| subscription.pending).count();
    if wanted.pending && pending() >= MAX_PENDING {
        let message = format!("{MAX_PENDING} subscriptions wait to be confirmed already");
        return Err(ApiError::with_status("SubscriptionLimitExceeded", 403, message));
    }
    Ok(())
}

/// Accepts what deliveries here can reach: HTTP on loopback, and queues of this cloud in any region.
fn check_endpoint(world: &World, protocol: &str, url: &str) -> Result<(), ApiError> {
    match protocol {
        "http" => {
            let endpoint = endpoint::read(url)?;
            let port = endpoint.moved_port(world).unwrap_or(endpoint.address.port());
            match world.own_ports.get(&port) {
                Some(what) => Err(invalid(format!("Endpoint: {url} is {what}, which takes no deliveries"))),
                None => Ok(()),
            }
        }
        "sqs" if sqs::is_queue(url) => Ok(()),
        "sqs" => Err(invalid("SQS endpoint ARN")),
        "https" => Err(ApiError::not_implemented("https endpoints; load balancers here speak HTTP, subscribe http")),
        "" => Err(invalid("Protocol")),
        other => Err(ApiError::not_implemented(format!("endpoints of the protocol {other}"))),
    }
}

/// A boolean as SNS shows it among attributes.
pub(super) fn shown_bool(value: bool) -> Value {
    Value::from(if value { "true" } else { "false" })
}
