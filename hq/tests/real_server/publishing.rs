//! Orders go out: at once, at the rate, as SNS wants them, and again after SNS was away.

use http::StatusCode;
use interstella_hq::{Config, TopicRate};
use serde_json::json;

use crate::support::{FakeSns, NOT_FOUND, eventually, quiet, start};

const PREFIX: &str = "arn:aws:sns:us-west-2:123456789012:";

fn publishing(url: &str, per_minute: f64) -> Config {
    Config { sns_endpoint: Some(url.parse().unwrap()), topics: TopicRate::workshop(PREFIX, per_minute), ..quiet() }
}

#[tokio::test]
async fn the_first_order_goes_out_at_once_in_the_shape_of_sns() {
    let (sns, url) = FakeSns::start().await;
    let hq = start(publishing(&url, 1.0)).await;
    eventually("one order is published", || async { hq.count("published").await == 1 }).await;
    let calls = sns.calls();
    let (headers, form) = &calls[0];
    let expected = [
        ("Action", "Publish"),
        ("Message", "{\"bundle\": 1}"),
        ("TopicArn", "arn:aws:sns:us-west-2:123456789012:orderTopic"),
        ("Version", "2010-03-31"),
    ];
    assert!(form.iter().map(|(name, value)| (name.as_str(), value.as_str())).eq(expected), "{form:?}");
    let authorization = headers["authorization"].to_str().unwrap();
    assert!(authorization.starts_with("AWS4-HMAC-SHA256 Credential=local/"), "{authorization}");
    assert!(authorization.contains("/us-west-2/sns/aws4_request,"), "{authorization}");
    assert_eq!(calls.len(), 1);
    hq.stop().await;
}

#[tokio::test]
async fn a_rate_set_while_running_is_followed() {
    let (sns, url) = FakeSns::start().await;
    let hq = start(publishing(&url, 0.0)).await;
    let json = [("content-type", "application/json")];
    let set = hq.change("/rates/iridium", &json, r#"{"perMinute": 6000}"#).await;
    assert_eq!((set.status, set.json()), (StatusCode::OK, json!({ "perMinute": 6000.0 })));
    eventually("orders for iridium go out", || async { sns.count() >= 20 }).await;
    assert!(sns.calls().iter().all(|(_, form)| form["TopicArn"].ends_with(":iridium")));
    hq.change("/rates/iridium", &json, r#"{"perMinute": 0}"#).await;
    assert_eq!(hq.get("/rates").await.json()["iridium"], json!({ "perMinute": 0.0 }));
    eventually("all are counted", || async { hq.count("published").await == sns.count() as u64 }).await;
    hq.stop().await;
}

#[tokio::test]
async fn nothing_goes_out_before_it_is_told_to_start() {
    let (sns, url) = FakeSns::start().await;
    let hq = start(Config { start_paused: true, ..publishing(&url, 6_000.0) }).await;
    // The measure of "long enough": another hq at the same rate has published ten.
    let (_, other_url) = FakeSns::start().await;
    let other = start(publishing(&other_url, 6_000.0)).await;
    eventually("the other publishes", || async { other.count("published").await >= 10 }).await;
    other.stop().await;
    assert_eq!((hq.get("/livez").await.status, sns.count()), (StatusCode::OK, 0));
    hq.publishing.start();
    eventually("orders go out", || async { hq.count("published").await > 0 }).await;
    hq.stop().await;
}

#[tokio::test]
async fn a_missing_topic_is_tried_again_and_only_acknowledged_orders_count() {
    let (sns, url) = FakeSns::start().await;
    sns.fail(Some(NOT_FOUND));
    let hq = start(publishing(&url, 1.0)).await;
    eventually("it tries again", || async { sns.count() >= 3 }).await;
    assert_eq!(hq.count("published").await, 0);
    sns.fail(None);
    eventually("the first order is published", || async { hq.count("published").await == 1 }).await;
    hq.stop().await;
}

#[tokio::test]
async fn stops_at_once_while_nothing_listens_at_the_endpoint() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let hq = start(publishing(&format!("http://{closed}"), 600.0)).await;
    assert_eq!(hq.count("published").await, 0);
    hq.stop().await;
}
