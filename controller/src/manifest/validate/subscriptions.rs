//! SNS subscriptions: topic, path, retries, dead letters.

use std::collections::HashSet;

use super::{Problems, arn, arn::Arn, grammar, spec};
use crate::manifest::pointer::Pointer;
use crate::manifest::{BackoffFunction, DeliveryPolicy, Manifest, Subscription};

/// Seconds after which SNS gives up whatever the policy says (AWS: SNS developer guide).
const MAX_TOTAL_SECONDS: f64 = 3600.0;

pub(super) fn check(manifest: &Manifest, problems: &mut Problems) {
    let path = spec().key("subscriptions");
    if !manifest.spec.subscriptions.is_empty() && manifest.spec.load_balancer.is_none() {
        let what = "SNS delivers to a load balancer, and there is none";
        problems.add(path.clone(), what, "add `loadBalancer`, or remove `subscriptions`");
    }
    let mut seen = HashSet::new();
    for (index, subscription) in manifest.spec.subscriptions.iter().enumerate() {
        let here = path.index(index);
        if !seen.insert((&subscription.topic, &subscription.path)) {
            problems.add(here.clone(), "the same topic and path are subscribed twice", "keep one of the two");
        }
        one(subscription, manifest, &here, problems);
    }
}

fn one(subscription: &Subscription, manifest: &Manifest, path: &Pointer, problems: &mut Problems) {
    let remedy = "start it with `/`; up to 1024 characters without spaces, `?` and `#`";
    problems.grammar(path.key("path"), &subscription.path, grammar::url_path, remedy);
    let topic = Arn::regional(&subscription.topic, "sns").filter(|arn| topic_name(arn.resource));
    match topic {
        None => {
            let what = format!("`{}` is not the ARN of a topic", super::shorten(&subscription.topic));
            problems.add(path.key("topic"), what, "write arn:aws:sns:<region>:<account>:<name>");
        }
        Some(arn) if arn.resource.ends_with(".fifo") => {
            let what = "FIFO topics do not deliver to HTTP endpoints";
            problems.add(path.key("topic"), what, "use a standard topic");
        }
        Some(arn) => arn::same_region(problems, path.key("topic"), arn.region, &manifest.metadata),
    }
    if let Some(queue) = &subscription.dead_letter_queue {
        dead_letters(queue, topic, path.key("deadLetterQueue"), problems);
    }
    if let Some(policy) = &subscription.delivery_policy {
        delivery(policy, &path.key("deliveryPolicy"), problems);
    }
}

fn topic_name(text: &str) -> bool {
    let name = text.strip_suffix(".fifo").unwrap_or(text);
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    (1..=256).contains(&text.len()) && !name.is_empty() && name.bytes().all(known)
}

fn dead_letters(text: &str, topic: Option<Arn<'_>>, path: Pointer, problems: &mut Problems) {
    let Some(queue) = Arn::regional(text, "sqs").filter(|arn| topic_name(arn.resource)) else {
        let what = format!("`{}` is not the ARN of a queue", super::shorten(text));
        return problems.add(path, what, "write arn:aws:sqs:<region>:<account>:<name>");
    };
    if queue.resource.ends_with(".fifo") {
        problems.add(path.clone(), "a standard topic needs a standard queue", "use a queue that is not FIFO");
    }
    if topic.is_some_and(|topic| (topic.region, topic.account) != (queue.region, queue.account)) {
        let what = "the queue is in another account or region than the topic";
        problems.add(path, what, "SNS allows only a queue of the topic's account and region; use one");
    }
}

fn delivery(policy: &DeliveryPolicy, path: &Pointer, problems: &mut Problems) {
    let before = problems.0.len();
    problems.range(path.key("numRetries"), policy.num_retries, 0..=100, "");
    problems.range(path.key("minDelayTarget"), policy.min_delay_target, 1..=3600, " seconds");
    problems.range(path.key("maxDelayTarget"), policy.max_delay_target, 1..=3600, " seconds");
    if policy.min_delay_target > policy.max_delay_target {
        let what = "the smallest delay is larger than the largest";
        problems.add(path.key("minDelayTarget"), what, "lower it, or raise `maxDelayTarget`");
    }
    if policy.max_receives_per_second == Some(0) {
        problems.add(path.key("maxReceivesPerSecond"), "0 would deliver nothing", "use 1 or more, or leave it out");
    }
    if fixed_retries(policy) > u64::from(policy.num_retries) {
        let what =
            format!("the phases have {} retries, `numRetries` says {}", fixed_retries(policy), policy.num_retries);
        problems.add(path.key("numRetries"), what, "raise it: it counts the retries of all phases");
    }
    if problems.0.len() == before && total_seconds(policy) > MAX_TOTAL_SECONDS {
        let what = format!("the retries take {:.0} s in all, and SNS gives up after 3600 s", total_seconds(policy));
        problems.add(path.clone(), what, "lower the delays or the number of retries");
    }
}

/// Retries of the three phases with a fixed delay; the rest of `numRetries` is the backoff.
fn fixed_retries(policy: &DeliveryPolicy) -> u64 {
    [policy.num_no_delay_retries, policy.num_min_delay_retries, policy.num_max_delay_retries]
        .map(u64::from)
        .iter()
        .sum()
}

/// Time from the first try to the last, without the tries themselves.
fn total_seconds(policy: &DeliveryPolicy) -> f64 {
    let (min, max) = (f64::from(policy.min_delay_target), f64::from(policy.max_delay_target));
    let backoff = u64::from(policy.num_retries).saturating_sub(fixed_retries(policy));
    let growing: f64 = (0..backoff).map(|step| delay(policy.backoff_function, min, max, step, backoff)).sum();
    f64::from(policy.num_min_delay_retries) * min + growing + f64::from(policy.num_max_delay_retries) * max
}

/// Delay of one step of the backoff. SNS publishes the curves only as a figure; these have its shapes.
fn delay(function: BackoffFunction, min: f64, max: f64, step: u64, steps: u64) -> f64 {
    #[allow(clippy::cast_precision_loss, reason = "there are at most 100 steps")]
    let share = if steps > 1 { step as f64 / (steps - 1) as f64 } else { 1.0 };
    match function {
        BackoffFunction::Linear => min + (max - min) * share,
        BackoffFunction::Arithmetic => min + (max - min) * share * share,
        BackoffFunction::Geometric | BackoffFunction::Exponential => min * (max / min).powf(share),
    }
}
