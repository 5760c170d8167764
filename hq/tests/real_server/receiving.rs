//! The fulfilment API: who may report, what a repetition is answered, that an order takes effect once.

use std::collections::BTreeSet;

use http::StatusCode;
use interstella_hq::{Config, Database};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::support::{BUNDLE, KEY, quiet, start};

#[tokio::test]
async fn an_order_takes_effect_and_is_counted() {
    let hq = start(quiet()).await;
    let answer = hq.report("order-1").await;
    assert_eq!(answer.status, StatusCode::OK);
    let expected = json!({ "status": "fulfilled", "order": "order-1", "fulfilled": { "iridium": 1, "magnesite": 1 } });
    assert_eq!(answer.json(), expected);
    let stats = hq.stats().await;
    let key_id = stats["perKey"].as_object().unwrap().keys().next().unwrap().clone();
    assert!(!KEY.contains(&key_id) && key_id.len() == 12);
    let key_stats = json!({ key_id: { "fulfilled": 1, "rejected": 0 } });
    let expected = json!({ "published": 0, "fulfilled": 1, "duplicates": 0, "rejected": 0, "perKey": key_stats });
    assert_eq!(stats, expected);
    hq.stop().await;
}

#[tokio::test]
async fn a_repetition_gets_the_first_answer_and_no_second_effect() {
    let hq = start(quiet()).await;
    let first = hq.report("order-1").await;
    let again = hq.report("order-1").await;
    let headers = [("x-api-key", KEY), ("idempotency-key", "order-1")];
    let reordered = hq.post("/receiving/", &headers, r#"{"magnesite":1,"iridium":1}"#).await;
    for repetition in [again, reordered] {
        assert_eq!((repetition.status, &repetition.body), (first.status, &first.body));
        assert_eq!(repetition.headers["idempotency-replayed"], "true");
    }
    assert_eq!((hq.count("fulfilled").await, hq.count("duplicates").await), (1, 0));
    hq.stop().await;
}

#[tokio::test]
async fn a_key_used_with_another_body_is_refused() {
    let hq = start(quiet()).await;
    hq.report("order-1").await;
    let headers = [("x-api-key", KEY), ("idempotency-key", "order-1")];
    let other = hq.post("/receiving/", &headers, r#"{"iridium": 2}"#).await;
    assert_eq!(other.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!((hq.count("fulfilled").await, hq.count("rejected").await), (1, 1));
    hq.stop().await;
}

#[tokio::test]
async fn a_hundred_concurrent_reports_of_one_order_are_one_effect() {
    let hq = start(quiet()).await;
    for round in 0..5 {
        let mut reports = JoinSet::new();
        for _ in 0..100 {
            let url = hq.url("/receiving/");
            reports.spawn(async move {
                let order = format!("order-{round}");
                let headers = [("x-api-key", KEY), ("idempotency-key", order.as_str())];
                crate::support::send(http::Method::POST, &url, &headers, BUNDLE).await.unwrap()
            });
        }
        let answers = reports.join_all().await;
        let statuses: BTreeSet<u16> = answers.iter().map(|answer| answer.status.as_u16()).collect();
        assert!(statuses.contains(&200) && statuses.is_subset(&[200, 409].into()), "{statuses:?}");
        let first_answers = answers
            .iter()
            .filter(|answer| answer.status == StatusCode::OK && !answer.headers.contains_key("idempotency-replayed"));
        assert_eq!(first_answers.count(), 1);
    }
    assert_eq!((hq.count("fulfilled").await, hq.count("duplicates").await), (5, 0));
    hq.stop().await;
}

#[tokio::test]
async fn reports_without_a_key_are_orders_of_their_own() {
    let hq = start(quiet()).await;
    for _ in 0..2 {
        assert_eq!(hq.post("/receiving/", &[("x-api-key", KEY)], BUNDLE).await.status, StatusCode::OK);
    }
    assert_eq!((hq.count("fulfilled").await, hq.count("duplicates").await), (2, 0));
    hq.stop().await;
}

#[tokio::test]
async fn refuses_strangers_and_nonsense_without_effect() {
    let hq = start(quiet()).await;
    let key = ("x-api-key", KEY);
    let large = format!("{{\"iridium\": 1{}}}", " ".repeat(64 * 1024));
    type Case<'a> = (&'a [(&'a str, &'a str)], &'a str, u16);
    let cases: [Case<'_>; 9] = [
        (&[], BUNDLE, 403),
        (&[("x-api-key", "")], BUNDLE, 403),
        (&[("x-api-key", "not-the-bootstrap-key")], BUNDLE, 403),
        (&[key], "", 400),
        (&[key], "{", 400),
        (&[key], "{}", 400),
        (&[key], r#"{"gold": 1}"#, 400),
        (&[key, ("idempotency-key", "")], BUNDLE, 400),
        (&[key], &large, 413),
    ];
    for (headers, body, status) in cases {
        let answer = hq.post("/receiving/", headers, body).await;
        assert_eq!(answer.status.as_u16(), status, "{headers:?} {answer:?}");
        assert!(!answer.body.contains(KEY) && answer.json()["message"].is_string());
    }
    assert_eq!((hq.count("fulfilled").await, hq.count("rejected").await), (0, 9));
    let by_key = hq.stats().await["perKey"].as_object().unwrap().values().next().unwrap().clone();
    assert_eq!(by_key, json!({ "fulfilled": 0, "rejected": 6 }));
    hq.stop().await;
}

#[tokio::test]
async fn orders_and_issued_keys_outlive_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let config = Config { database: Database::Path(directory.path().join("hq.sqlite")), ..quiet() };
    let hq = start(config.clone()).await;
    let first = hq.report("order-1").await;
    let issued = hq.change("/keys", &[], "").await.json();
    hq.stop().await;

    let hq = start(config).await;
    let headers = [("x-api-key", issued["key"].as_str().unwrap()), ("idempotency-key", "order-1")];
    let again = hq.post("/receiving/", &headers, BUNDLE).await;
    assert_eq!((again.status, again.body), (StatusCode::OK, first.body));
    assert_eq!((hq.count("fulfilled").await, hq.count("duplicates").await), (1, 0));
    hq.stop().await;
    let file = std::fs::read(directory.path().join("hq.sqlite")).unwrap();
    let key = issued["key"].as_str().unwrap().as_bytes();
    assert!(!file.windows(key.len()).any(|window| window == key), "the database holds a key in clear");
}

#[tokio::test]
async fn a_request_in_flight_is_finished_when_told_to_stop() {
    let hq = start(quiet()).await;
    let mut connection = TcpStream::connect(hq.address).await.unwrap();
    let head = format!(
        "POST /receiving/ HTTP/1.1\r\nhost: localhost\r\nx-api-key: {KEY}\r\nexpect: 100-continue\r\ncontent-length: {}\r\n\r\n",
        BUNDLE.len()
    );
    connection.write_all(head.as_bytes()).await.unwrap();
    let mut go_on = [0; 25];
    connection.read_exact(&mut go_on).await.unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    let address = hq.address;
    let stopped = tokio::spawn(hq.stop());
    crate::support::eventually("it stops accepting", || async { TcpStream::connect(address).await.is_err() }).await;
    connection.write_all(BUNDLE.as_bytes()).await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    stopped.await.unwrap();
}
