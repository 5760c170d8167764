//! Keys and rates: issued and set by programs of this machine, shown to no one else.

use http::StatusCode;
use serde_json::json;

use crate::support::{BUNDLE, quiet, start};

#[tokio::test]
async fn an_issued_key_opens_the_fulfilment_api_for_thirty_days() {
    let hq = start(quiet()).await;
    let issued = hq.post("/keys", &[], "").await;
    assert_eq!(issued.status, StatusCode::CREATED);
    let issued = issued.json();
    let expires_at: jiff::Timestamp = issued["expiresAt"].as_str().unwrap().parse().unwrap();
    let hours = expires_at.duration_since(jiff::Timestamp::UNIX_EPOCH).as_hours();
    assert!(hours > 30 * 24, "{hours}");
    let key = issued["key"].as_str().unwrap();
    assert_eq!(hq.post("/receiving/", &[("x-api-key", key)], BUNDLE).await.status, StatusCode::OK);
    let stats = hq.get("/stats").await;
    assert_eq!(stats.json()["perKey"][issued["id"].as_str().unwrap()], json!({ "fulfilled": 1, "rejected": 0 }));
    assert!(!stats.body.contains(key) && !hq.get("/").await.body.contains(key));
    hq.stop().await;
}

#[tokio::test]
async fn web_pages_and_proxies_administer_nothing() {
    let hq = start(quiet()).await;
    let json = ("content-type", "application/json");
    for on_behalf in [("origin", "https://example.com"), ("x-forwarded-for", "203.0.113.7")] {
        let rate = hq.post("/rates/orderTopic", &[json, on_behalf], r#"{"perMinute": 6}"#).await;
        let key = hq.post("/keys", &[on_behalf], "").await;
        assert_eq!([rate.status, key.status], [StatusCode::FORBIDDEN; 2]);
    }
    assert_eq!(hq.get("/rates").await.json()["orderTopic"], json!({ "perMinute": 0.0 }));
    hq.stop().await;
}

#[tokio::test]
async fn unusable_rates_are_refused_with_the_reason() {
    let hq = start(quiet()).await;
    let json = [("content-type", "application/json")];
    for (topic, body, status, reason) in [
        ("gold", r#"{"perMinute": 6}"#, 404, "hq publishes to iridium, magnesite, orderTopic"),
        ("orderTopic", r#"{"perMinute": -1}"#, 400, "-1 is no rate"),
        ("orderTopic", r#"{"per_minute": 6}"#, 400, "perMinute"),
    ] {
        let answer = hq.post(&format!("/rates/{topic}"), &json, body).await;
        assert_eq!(answer.status.as_u16(), status);
        assert!(answer.json()["message"].as_str().unwrap().contains(reason), "{}", answer.body);
    }
    hq.stop().await;
}

#[tokio::test]
async fn a_person_gets_a_page() {
    let hq = start(quiet()).await;
    let page = hq.get("/").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.contains("fulfilled   0\nduplicates  0\n"), "{}", page.body);
    assert_eq!(hq.get("/no-such-page").await.status, StatusCode::NOT_FOUND);
    hq.stop().await;
}
