//! The fault switch: each fault looks to the caller as it should, and none makes a second effect.

use std::time::{Duration, Instant};

use http::{Method, StatusCode};

use crate::support::{BUNDLE, KEY, Running, eventually, quiet, send, start, token};

async fn break_with(hq: &Running, fault: &str) {
    let answer = hq.change("/faults", &[("content-type", "application/json")], fault).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.body);
}

async fn try_report(hq: &Running, order: &str) -> Result<StatusCode, String> {
    let headers = [("x-api-key", KEY), ("idempotency-key", order)];
    send(Method::POST, &hq.url("/receiving/"), &headers, BUNDLE).await.map(|answer| answer.status)
}

#[tokio::test]
async fn a_failure_before_or_after_the_effect_is_one_effect_after_a_repetition() {
    for (when, effects) in [("before", 0), ("after", 1)] {
        let hq = start(quiet()).await;
        break_with(&hq, &format!(r#"{{"fault": {{"status": 500}}, "when": "{when}", "count": 1}}"#)).await;
        assert_eq!(try_report(&hq, "order-1").await, Ok(StatusCode::INTERNAL_SERVER_ERROR));
        assert_eq!(hq.count("fulfilled").await, effects);
        assert_eq!(try_report(&hq, "order-1").await, Ok(StatusCode::OK));
        assert_eq!((hq.count("fulfilled").await, hq.count("duplicates").await), (1, 0));
        hq.stop().await;
    }
}

#[tokio::test]
async fn throttling_says_when_to_come_back_until_it_is_cleared() {
    let hq = start(quiet()).await;
    break_with(&hq, r#"{"fault": {"status": 429, "retryAfterSeconds": 2}}"#).await;
    for _ in 0..3 {
        let answer = hq.report("order-1").await;
        assert_eq!(
            (answer.status, &answer.headers["retry-after"]),
            (StatusCode::TOO_MANY_REQUESTS, &"2".parse().unwrap())
        );
    }
    let token = token().header().unwrap();
    let headers = [("authorization", token.to_str().unwrap())];
    let cleared = send(Method::DELETE, &hq.url("/faults"), &headers, "").await.unwrap();
    assert_eq!(cleared.status, StatusCode::NO_CONTENT);
    assert_eq!(try_report(&hq, "order-1").await, Ok(StatusCode::OK));
    hq.stop().await;
}

#[tokio::test]
async fn a_reset_after_the_effect_is_seen_as_a_reset() {
    let hq = start(quiet()).await;
    break_with(&hq, r#"{"fault": "reset", "when": "after", "count": 1}"#).await;
    let error = try_report(&hq, "order-1").await.unwrap_err();
    assert!(error.contains("ConnectionReset"), "{error}");
    assert_eq!(hq.count("fulfilled").await, 1);
    assert_eq!(try_report(&hq, "order-1").await, Ok(StatusCode::OK));
    assert_eq!(hq.count("duplicates").await, 0);
    hq.stop().await;
}

#[tokio::test]
async fn a_delay_holds_the_key_in_flight() {
    let hq = start(quiet()).await;
    break_with(&hq, r#"{"fault": {"delayMs": 300}, "when": "after", "count": 1}"#).await;
    let began = Instant::now();
    let slow = async { (try_report(&hq, "order-1").await, began.elapsed()) };
    let repeated = async {
        eventually("the effect took place", || async { hq.count("fulfilled").await == 1 }).await;
        try_report(&hq, "order-1").await
    };
    let ((slow, took), repeated) = tokio::join!(slow, repeated);
    assert_eq!((slow, repeated), (Ok(StatusCode::OK), Ok(StatusCode::CONFLICT)));
    assert!(took >= Duration::from_millis(300), "{took:?}");
    assert_eq!(hq.count("rejected").await, 0);
    hq.stop().await;
}

#[tokio::test]
async fn a_hang_gives_no_answer() {
    let hq = start(quiet()).await;
    break_with(&hq, r#"{"fault": "hang", "count": 1}"#).await;
    let hanging = tokio::time::timeout(Duration::from_millis(200), try_report(&hq, "order-1")).await;
    assert!(hanging.is_err(), "{hanging:?}");
    eventually("the key is free once its caller is gone", || async {
        try_report(&hq, "order-1").await == Ok(StatusCode::OK)
    })
    .await;
    hq.stop().await;
}
