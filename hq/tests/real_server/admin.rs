//! Keys and rates: issued and set by programs of this machine, shown to no one else.

use std::os::unix::fs::PermissionsExt;

use http::{Method, StatusCode};
use interstella_hq::{Config, Database};
use serde_json::json;
use tokio::net::TcpStream;

use crate::support::{BUNDLE, quiet, send, start};

#[tokio::test]
async fn an_issued_key_opens_the_fulfilment_api_for_thirty_days() {
    let hq = start(quiet()).await;
    let issued = hq.change("/keys", &[], "").await;
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
    let behalf =
        [("origin", "https://example.com"), ("sec-fetch-site", "same-site"), ("x-forwarded-for", "203.0.113.7")];
    for on_behalf in behalf {
        let rate = hq.change("/rates/orderTopic", &[json, on_behalf], r#"{"perMinute": 6}"#).await;
        let key = hq.change("/keys", &[on_behalf], "").await;
        assert_eq!([rate.status, key.status], [StatusCode::FORBIDDEN; 2]);
    }
    assert_eq!(hq.get("/rates").await.json()["orderTopic"], json!({ "perMinute": 0.0 }));
    hq.stop().await;
}

#[tokio::test]
async fn whoever_has_not_the_token_changes_nothing_and_a_foreign_name_reads_nothing() {
    let hq = start(quiet()).await;
    let json = ("content-type", "application/json");
    for token in ["", "Bearer ", "Bearer 0000", "Basic eA=="] {
        let authorization = ("authorization", token);
        let rate = hq.post("/rates/orderTopic", &[json, authorization], r#"{"perMinute": 6}"#).await;
        let key = hq.post("/keys", &[authorization], "").await;
        assert_eq!([rate.status, key.status], [StatusCode::UNAUTHORIZED; 2], "{token}");
        assert!(key.body.contains("`hq rate` and `hq key` read it"), "{}", key.body);
    }
    assert_eq!(hq.get("/rates").await.json()["orderTopic"], json!({ "perMinute": 0.0 }));
    for path in ["/", "/stats", "/rates"] {
        let rebound = send(Method::GET, &hq.url(path), &[("host", "evil.example")], "").await.unwrap();
        assert_eq!(rebound.status, StatusCode::MISDIRECTED_REQUEST, "{path}");
        let image = [("sec-fetch-site", "cross-site"), ("sec-fetch-dest", "image")];
        let image = send(Method::GET, &hq.url(path), &image, "").await.unwrap();
        assert_eq!(image.status, StatusCode::FORBIDDEN, "{path}");
    }
    hq.stop().await;
}

#[tokio::test]
async fn idle_connections_keep_nobody_out() {
    let hq = start(quiet()).await;
    interstella_guard::doors::raise_descriptor_limit();
    let mut idle = Vec::new();
    for _ in 0..1_200 {
        idle.push(TcpStream::connect(hq.address).await.unwrap());
    }
    assert_eq!(hq.get("/livez").await.status, StatusCode::OK);
    assert_eq!(hq.report("an order").await.status, StatusCode::OK);
    hq.stop().await;
}

#[tokio::test]
async fn the_database_is_its_owners_alone() {
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("hq.db");
    let hq = start(Config { database: Database::Path(path.clone()), ..quiet() }).await;
    assert_eq!(hq.report("an order").await.status, StatusCode::OK);
    for entry in std::fs::read_dir(scratch.path()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", entry.path());
    }
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
        let answer = hq.change(&format!("/rates/{topic}"), &json, body).await;
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
