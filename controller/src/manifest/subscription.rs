//! The topics whose messages the service gets, and how SNS retries their delivery.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A topic that the load balancer's address is subscribed to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Subscription {
    /// ARN of the topic, a standard one.
    pub topic: String,
    /// Path on the load balancer, starting with `/`.
    pub path: String,
    /// How SNS retries; absent = AWS's default, which gives up after about a minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery_policy: Option<DeliveryPolicy>,
    /// ARN of the SQS queue that takes messages that could not be delivered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dead_letter_queue: Option<String>,
}

/// How SNS retries an HTTP delivery (AWS: SNS developer guide, `healthyRetryPolicy`). The whole must end within 3600 s.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeliveryPolicy {
    /// All retries together: 0–100.
    pub num_retries: u32,
    /// Retries without delay. Default 0.
    #[serde(default)]
    pub num_no_delay_retries: u32,
    /// Retries at the minimum delay. Default 0.
    #[serde(default)]
    pub num_min_delay_retries: u32,
    /// Retries at the maximum delay. Default 0.
    #[serde(default)]
    pub num_max_delay_retries: u32,
    /// Seconds, from 1.
    pub min_delay_target: u32,
    /// Seconds, to 3600.
    pub max_delay_target: u32,
    /// How the delay grows between minimum and maximum. Default `linear`.
    #[serde(default)]
    pub backoff_function: BackoffFunction,
    /// Deliveries a second at most; absent = no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_receives_per_second: Option<u32>,
}

/// How a delay grows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum BackoffFunction {
    /// By equal steps.
    #[default]
    Linear,
    /// By growing steps.
    Arithmetic,
    /// By a factor.
    Geometric,
    /// By powers.
    Exponential,
}
