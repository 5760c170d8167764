//! Normal form of a subscription's settings, from the manifest and from AWS's answer, and as AWS takes it. Absent and AWS's default
//! are the same on both sides.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;
use serde_json::{Value, json};

use crate::manifest::{self, BackoffFunction};
use crate::resource::given::Given;

/// What the manifest says of a subscription; its host is known once the load balancer exists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Wanted {
    /// ARN of the topic.
    pub topic: String,
    /// Path on the load balancer.
    pub path: String,
    /// What it should be.
    pub spec: Spec,
}

/// Normal form of a subscription's settings.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Spec {
    /// SNS's retries; absent = its default.
    pub delivery_policy: Option<DeliveryPolicy>,
    /// ARN of the dead-letter queue.
    pub dead_letter_queue: Option<String>,
    /// Raw deliveries carry no signature, so this is always false.
    pub raw_message_delivery: bool,
}

/// Normal form of a delivery policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryPolicy {
    /// All retries.
    pub num_retries: u64,
    /// Retries without delay.
    pub num_no_delay_retries: u64,
    /// Retries at the minimum delay.
    pub num_min_delay_retries: u64,
    /// Retries at the maximum delay.
    pub num_max_delay_retries: u64,
    /// Seconds.
    pub min_delay_target: u64,
    /// Seconds.
    pub max_delay_target: u64,
    /// How the delay grows.
    pub backoff_function: String,
    /// Deliveries a second at most.
    pub max_receives_per_second: Option<u64>,
}

/// What SNS does without a policy: three retries, 20 seconds apart.
const DEFAULT_RETRIES: u64 = 3;
const DEFAULT_DELAY: u64 = 20;

/// The manifest's subscriptions.
#[must_use]
pub fn desired(wanted: &[manifest::Subscription]) -> Vec<Wanted> {
    let one = |one: &manifest::Subscription| Wanted {
        topic: one.topic.clone(),
        path: one.path.clone(),
        spec: Spec {
            delivery_policy: one.delivery_policy.as_ref().map(policy).filter(|policy| !is_default(policy)),
            dead_letter_queue: one.dead_letter_queue.clone(),
            raw_message_delivery: false,
        },
    };
    wanted.iter().map(one).collect()
}

fn policy(wanted: &manifest::DeliveryPolicy) -> DeliveryPolicy {
    let backoff = match wanted.backoff_function {
        BackoffFunction::Linear => "linear",
        BackoffFunction::Arithmetic => "arithmetic",
        BackoffFunction::Geometric => "geometric",
        BackoffFunction::Exponential => "exponential",
    };
    DeliveryPolicy {
        num_retries: wanted.num_retries.into(),
        num_no_delay_retries: wanted.num_no_delay_retries.into(),
        num_min_delay_retries: wanted.num_min_delay_retries.into(),
        num_max_delay_retries: wanted.num_max_delay_retries.into(),
        min_delay_target: wanted.min_delay_target.into(),
        max_delay_target: wanted.max_delay_target.into(),
        backoff_function: backoff.to_owned(),
        max_receives_per_second: wanted.max_receives_per_second.map(Into::into),
    }
}

fn is_default(policy: &DeliveryPolicy) -> bool {
    *policy == default_policy()
}

pub(super) fn default_policy() -> DeliveryPolicy {
    DeliveryPolicy {
        num_retries: DEFAULT_RETRIES,
        num_no_delay_retries: 0,
        num_min_delay_retries: 0,
        num_max_delay_retries: 0,
        min_delay_target: DEFAULT_DELAY,
        max_delay_target: DEFAULT_DELAY,
        backoff_function: "linear".to_owned(),
        max_receives_per_second: None,
    }
}

impl Spec {
    /// Normal form of AWS's answer.
    pub(super) fn from_aws(attributes: &HashMap<String, String>) -> Self {
        let json = |key: &str| attributes.get(key).and_then(|text| serde_json::from_str::<Value>(text).ok());
        Self {
            delivery_policy: json("DeliveryPolicy").and_then(|value| policy_from_aws(&value)),
            dead_letter_queue: json("RedrivePolicy")
                .and_then(|value| value.get("deadLetterTargetArn").and_then(Value::as_str).given().map(str::to_owned)),
            raw_message_delivery: attributes.get("RawMessageDelivery").is_some_and(|text| text == "true"),
        }
    }
}

fn policy_from_aws(value: &Value) -> Option<DeliveryPolicy> {
    let retry = value.get("healthyRetryPolicy").filter(|value| value.is_object());
    let throttle = value.get("throttlePolicy").and_then(|value| value.get("maxReceivesPerSecond"));
    if retry.is_none() && throttle.is_none() {
        return None;
    }
    let number = |key: &str, default| retry.and_then(|retry| retry.get(key)).and_then(Value::as_u64).unwrap_or(default);
    let backoff = retry.and_then(|retry| retry.get("backoffFunction")).and_then(Value::as_str).given();
    let policy = DeliveryPolicy {
        num_retries: number("numRetries", DEFAULT_RETRIES),
        num_no_delay_retries: number("numNoDelayRetries", 0),
        num_min_delay_retries: number("numMinDelayRetries", 0),
        num_max_delay_retries: number("numMaxDelayRetries", 0),
        min_delay_target: number("minDelayTarget", DEFAULT_DELAY),
        max_delay_target: number("maxDelayTarget", DEFAULT_DELAY),
        backoff_function: backoff.unwrap_or("linear").to_owned(),
        max_receives_per_second: throttle.and_then(Value::as_u64),
    };
    Some(policy).filter(|policy| !is_default(policy))
}

/// The attributes that are not at SNS's default.
pub(super) fn attributes(spec: &Spec) -> BTreeMap<String, String> {
    let mut attributes = BTreeMap::new();
    if let Some(policy) = &spec.delivery_policy {
        attributes.insert("DeliveryPolicy".to_owned(), policy_json(policy));
    }
    if let Some(arn) = &spec.dead_letter_queue {
        attributes.insert("RedrivePolicy".to_owned(), json!({ "deadLetterTargetArn": arn }).to_string());
    }
    attributes
}

pub(super) fn policy_json(policy: &DeliveryPolicy) -> String {
    let mut json = json!({ "healthyRetryPolicy": {
        "numRetries": policy.num_retries,
        "numNoDelayRetries": policy.num_no_delay_retries,
        "numMinDelayRetries": policy.num_min_delay_retries,
        "numMaxDelayRetries": policy.num_max_delay_retries,
        "minDelayTarget": policy.min_delay_target,
        "maxDelayTarget": policy.max_delay_target,
        "backoffFunction": policy.backoff_function,
    }});
    if let (Some(most), Some(json)) = (policy.max_receives_per_second, json.as_object_mut()) {
        json.insert("throttlePolicy".to_owned(), json!({ "maxReceivesPerSecond": most }));
    }
    json.to_string()
}
