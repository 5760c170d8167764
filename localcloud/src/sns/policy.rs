//! Delivery and redrive policies: reading them, what holds when several do, and the pauses between attempts. Pure.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Seconds that all pauses of a policy may add up to: AWS's hard limit.
const MAX_TOTAL_SECONDS: f64 = 3600.0;

/// How often and in which rhythm a delivery is tried again (AWS: `healthyRetryPolicy`). Delays are in seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct RetryPolicy {
    /// Shortest pause, at least 1.
    pub min_delay_target: u32,
    /// Longest pause, at most 3600.
    pub max_delay_target: u32,
    /// Retries in all, at most 100.
    pub num_retries: u32,
    /// Of these, how many come last, at the longest pause.
    pub num_max_delay_retries: u32,
    /// Of these, how many come first, without a pause.
    pub num_no_delay_retries: u32,
    /// Of these, how many come next, at the shortest pause.
    pub num_min_delay_retries: u32,
    /// How the pause grows in between.
    pub backoff_function: Backoff,
}

impl Default for RetryPolicy {
    /// SNS's own: three retries, 20 seconds apart.
    fn default() -> Self {
        Self {
            min_delay_target: 20,
            max_delay_target: 20,
            num_retries: 3,
            num_max_delay_retries: 0,
            num_no_delay_retries: 0,
            num_min_delay_retries: 0,
            backoff_function: Backoff::Linear,
        }
    }
}

/// How pauses grow from the shortest to the longest. AWS publishes names and a picture, no formulas; these have its shapes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Backoff {
    /// By equal steps.
    Linear,
    /// By steps that grow by an equal amount.
    Arithmetic,
    /// By an equal factor.
    Geometric,
    /// By steps that double.
    Exponential,
}

/// A subscription's `DeliveryPolicy`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct DeliveryPolicy {
    /// When a delivery is tried again.
    pub healthy_retry_policy: Option<RetryPolicy>,
    /// Accepted as AWS does, where it has no effect any more.
    pub sickly_retry_policy: Option<RetryPolicy>,
    /// How fast messages are sent.
    pub throttle_policy: Option<ThrottlePolicy>,
    /// Accepted as AWS does, where it has no effect any more.
    pub guaranteed: bool,
    /// What the requests look like.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_policy: Option<RequestPolicy>,
}

/// Speed of sending.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ThrottlePolicy {
    /// Attempts in a second, at least 1.
    pub max_receives_per_second: u32,
}

/// Looks of the requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RequestPolicy {
    /// Value of `Content-Type`.
    pub header_content_type: String,
}

/// A topic's `DeliveryPolicy`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TopicPolicy {
    /// What holds for endpoints of HTTP.
    pub http: TopicHttpPolicy,
}

/// What a topic prescribes for endpoints of HTTP.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct TopicHttpPolicy {
    /// Holds for subscriptions that say nothing.
    pub default_healthy_retry_policy: RetryPolicy,
    /// Accepted as AWS does, where it has no effect any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_sickly_retry_policy: Option<RetryPolicy>,
    /// Whether it also holds for those that say something else.
    pub disable_subscription_overrides: bool,
    /// Holds for subscriptions that say nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_throttle_policy: Option<ThrottlePolicy>,
    /// Holds for subscriptions that say nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_request_policy: Option<RequestPolicy>,
}

/// A subscription's `RedrivePolicy`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RedrivePolicy {
    /// Queue for what could not be delivered.
    pub dead_letter_target_arn: String,
}

/// Reads a subscription's `DeliveryPolicy`. The error says what is wrong with it.
pub fn read_delivery_policy(text: &str) -> Result<DeliveryPolicy, String> {
    let policy: DeliveryPolicy = serde_json::from_str(text).map_err(|error| format!("DeliveryPolicy: {error}"))?;
    policy.healthy_retry_policy.as_ref().map_or(Ok(()), check_retry_policy)?;
    check_rest(policy.throttle_policy.as_ref(), policy.request_policy.as_ref())?;
    Ok(policy)
}

/// Reads a topic's `DeliveryPolicy`. The error says what is wrong with it.
pub fn read_topic_policy(text: &str) -> Result<TopicPolicy, String> {
    let policy: TopicPolicy = serde_json::from_str(text).map_err(|error| format!("DeliveryPolicy: {error}"))?;
    check_retry_policy(&policy.http.default_healthy_retry_policy)?;
    check_rest(policy.http.default_throttle_policy.as_ref(), policy.http.default_request_policy.as_ref())?;
    Ok(policy)
}

/// What holds for a subscription: its own policy where the topic allows that, else the topic's, else SNS's.
pub fn effective(topic: Option<&TopicPolicy>, own: Option<&DeliveryPolicy>) -> DeliveryPolicy {
    let topic = topic.map(|topic| topic.http.clone()).unwrap_or_default();
    let own = own.filter(|_| !topic.disable_subscription_overrides).cloned().unwrap_or_default();
    DeliveryPolicy {
        healthy_retry_policy: own.healthy_retry_policy.or(Some(topic.default_healthy_retry_policy)),
        sickly_retry_policy: own.sickly_retry_policy.or(topic.default_sickly_retry_policy),
        throttle_policy: own.throttle_policy.or(topic.default_throttle_policy),
        guaranteed: own.guaranteed,
        request_policy: own.request_policy.or(topic.default_request_policy),
    }
}

/// The pauses before the retries, in order. AWS adds jitter; here a run is repeatable.
pub fn delays(policy: &RetryPolicy) -> Vec<Duration> {
    let min = f64::from(policy.min_delay_target);
    let max = f64::from(policy.max_delay_target);
    let immediate = policy.num_no_delay_retries;
    let special = immediate.saturating_add(policy.num_min_delay_retries).saturating_add(policy.num_max_delay_retries);
    let growing = policy.num_retries.saturating_sub(special);
    let seconds = std::iter::repeat_n(0.0, immediate as usize)
        .chain(std::iter::repeat_n(min, policy.num_min_delay_retries as usize))
        .chain((1..=growing).map(|step| grown(policy.backoff_function, min, max, step, growing)))
        .chain(std::iter::repeat_n(max, policy.num_max_delay_retries as usize));
    seconds.take(policy.num_retries as usize).map(Duration::from_secs_f64).collect()
}

/// The pause at `step` of `steps`, which ends at `max`.
fn grown(backoff: Backoff, min: f64, max: f64, step: u32, steps: u32) -> f64 {
    let (at, end) = (f64::from(step), f64::from(steps));
    let share = match backoff {
        Backoff::Linear => at / end,
        Backoff::Arithmetic => at * (at + 1.0) / (end * (end + 1.0)),
        Backoff::Geometric => return min * (max / min).powf(at / end),
        Backoff::Exponential => (at.exp2() - 1.0) / (end.exp2() - 1.0),
    };
    min + (max - min) * share
}

fn check_retry_policy(policy: &RetryPolicy) -> Result<(), String> {
    let phases = [policy.num_no_delay_retries, policy.num_min_delay_retries, policy.num_max_delay_retries];
    let in_phases: u64 = phases.iter().map(|retries| u64::from(*retries)).sum();
    if policy.num_retries > 100 {
        return Err("DeliveryPolicy: numRetries must be at most 100".to_owned());
    }
    if policy.min_delay_target < 1 || policy.max_delay_target > 3600 {
        return Err("DeliveryPolicy: minDelayTarget must be at least 1 and maxDelayTarget at most 3600".to_owned());
    }
    if policy.min_delay_target > policy.max_delay_target {
        return Err("DeliveryPolicy: minDelayTarget must not exceed maxDelayTarget".to_owned());
    }
    if in_phases > u64::from(policy.num_retries) {
        return Err("DeliveryPolicy: the retries of all phases must not exceed numRetries".to_owned());
    }
    if delays(policy).iter().map(Duration::as_secs_f64).sum::<f64>() > MAX_TOTAL_SECONDS {
        return Err("DeliveryPolicy: the delays of all retries must not exceed 3600 seconds in total".to_owned());
    }
    Ok(())
}

fn check_rest(throttle: Option<&ThrottlePolicy>, request: Option<&RequestPolicy>) -> Result<(), String> {
    if throttle.is_some_and(|throttle| throttle.max_receives_per_second < 1) {
        return Err("DeliveryPolicy: maxReceivesPerSecond must be at least 1".to_owned());
    }
    if request.is_some_and(|request| http::HeaderValue::from_str(&request.header_content_type).is_err()) {
        return Err("DeliveryPolicy: headerContentType is not a header value".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests;
