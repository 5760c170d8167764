#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;

fn seconds(policy: &RetryPolicy) -> Vec<u64> {
    delays(policy).iter().map(Duration::as_secs).collect()
}

fn growing(backoff_function: Backoff) -> RetryPolicy {
    RetryPolicy {
        min_delay_target: 1,
        max_delay_target: 64,
        num_retries: 6,
        backoff_function,
        ..RetryPolicy::default()
    }
}

#[test]
fn the_default_is_three_retries_twenty_seconds_apart() {
    assert_eq!(seconds(&RetryPolicy::default()), [20, 20, 20]);
}

#[test]
fn each_function_has_its_shape_and_ends_at_the_longest_pause() {
    assert_eq!(seconds(&growing(Backoff::Linear)), [11, 22, 32, 43, 53, 64]);
    assert_eq!(seconds(&growing(Backoff::Arithmetic)), [4, 10, 19, 31, 46, 64]);
    assert_eq!(seconds(&growing(Backoff::Geometric)), [2, 4, 8, 16, 32, 64]);
    assert_eq!(seconds(&growing(Backoff::Exponential)), [2, 4, 8, 16, 32, 64]);
}

#[test]
fn phases_come_in_order() {
    let policy = RetryPolicy {
        min_delay_target: 2,
        max_delay_target: 10,
        num_retries: 8,
        num_no_delay_retries: 2,
        num_min_delay_retries: 1,
        num_max_delay_retries: 3,
        backoff_function: Backoff::Linear,
    };
    assert_eq!(seconds(&policy), [0, 0, 2, 6, 10, 10, 10, 10]);
}

#[test]
fn a_policy_over_an_hour_is_refused() {
    let text = |retries: u32| {
        format!(r#"{{"healthyRetryPolicy":{{"minDelayTarget":60,"maxDelayTarget":60,"numRetries":{retries}}}}}"#)
    };
    assert!(read_delivery_policy(&text(60)).is_ok());
    let problem = read_delivery_policy(&text(61)).unwrap_err();
    assert!(problem.contains("3600 seconds"), "{problem}");
}

#[test]
fn impossible_policies_are_refused_by_what_is_wrong() {
    for (policy, says) in [
        (r#"{"numRetries":101}"#, "at most 100"),
        (r#"{"minDelayTarget":0}"#, "at least 1"),
        (r#"{"maxDelayTarget":3601}"#, "at most 3600"),
        (r#"{"minDelayTarget":30}"#, "must not exceed maxDelayTarget"),
        (r#"{"numRetries":1,"numNoDelayRetries":1,"numMinDelayRetries":1}"#, "all phases"),
        (r#"{"backoffFunction":"cubic"}"#, "unknown variant"),
        (r#"{"retries":1}"#, "unknown field"),
    ] {
        let problem = read_delivery_policy(&format!(r#"{{"healthyRetryPolicy":{policy}}}"#)).unwrap_err();
        assert!(problem.contains(says), "{policy}: {problem}");
    }
}

#[test]
fn the_topic_decides_for_those_who_say_nothing_and_may_forbid_the_rest() {
    let own = read_delivery_policy(r#"{"healthyRetryPolicy":{"numRetries":5}}"#).unwrap();
    let topic = |forbid: bool| {
        let text = format!(
            r#"{{"http":{{"defaultHealthyRetryPolicy":{{"numRetries":7}},"disableSubscriptionOverrides":{forbid}}}}}"#
        );
        read_topic_policy(&text).unwrap()
    };
    let retries = |topic: Option<&TopicPolicy>, own: Option<&DeliveryPolicy>| {
        effective(topic, own).healthy_retry_policy.unwrap().num_retries
    };
    assert_eq!(retries(None, None), 3);
    assert_eq!(retries(Some(&topic(false)), None), 7);
    assert_eq!(retries(Some(&topic(false)), Some(&own)), 5);
    assert_eq!(retries(Some(&topic(true)), Some(&own)), 7);
}
