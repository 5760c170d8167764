//! W1–W19: what is not from one of our topics is never processed, and nothing is fetched for it.

use std::sync::atomic::Ordering;
use std::time::Instant;

use interstella_worker::ledger::Retention;

use super::fake::Fake;
use super::sender::{Identity, Message, SNS};
use super::support::{CERT, Rig, Setup, eventually};

/// Sends each message, expects each status, and that none had an effect.
async fn refused(rig: &Rig, cases: impl IntoIterator<Item = (u16, String)>) {
    for (status, body) in cases {
        let reply = rig.post(&body, &[]).await;
        assert_eq!(reply.status, status, "{body}\n{reply:?}");
    }
    assert_eq!(rig.effects(), 0);
}

#[tokio::test]
async fn a_genuine_order_is_fulfilled() {
    let rig = Rig::new().await;
    let reply = rig.send(&rig.order()).await;
    assert_eq!((reply.status, reply.body.as_str()), (200, "fulfilled"));
    let api = rig.api.lock().unwrap();
    assert_eq!(api.asked.len(), 1);
    assert_eq!(api.asked[0].path, "/receiving/");
    assert_eq!(api.asked[0].body, "{\"iridium\":1,\"magnesite\":1}");
    assert_eq!(api.asked[0].header("x-api-key"), Some(super::support::CANARY));
}

#[tokio::test]
async fn w01_no_signature_is_refused_without_a_fetch() {
    let rig = Rig::new().await;
    let order = rig.order();
    refused(
        &rig,
        [
            (403, order.clone().without("Signature").body()),
            (403, order.clone().with("Signature", "").body()),
            (403, order.clone().with("Signature", "!!!!").body()),
            (403, order.clone().with("Signature", "AAAA").body()),
        ],
    )
    .await;
    assert_eq!(rig.fetches(), 0);
    assert!(rig.metrics().await.contains("worker_rejected_total{reason=\"unsigned\"} 1"));
}

#[tokio::test]
async fn w02_a_changed_byte_is_refused() {
    let rig = Rig::new().await;
    let order = rig.order();
    let timestamp = order.get("Timestamp").replace('Z', "");
    let last = if timestamp.ends_with('1') { "2Z" } else { "1Z" };
    let timestamp = format!("{}{last}", &timestamp[..timestamp.len() - 1]);
    let other_id = uuid::Uuid::new_v4().to_string();
    let cases = [("Message", "{\"bundle\": 2}"), ("Timestamp", &timestamp), ("MessageId", &other_id), ("Subject", "x")];
    refused(&rig, cases.map(|(name, value)| (403, order.clone().with(name, value).body()))).await;
    let confirmation =
        order.clone().with("Type", "SubscriptionConfirmation").with("Token", "t").with("SubscribeURL", "u");
    refused(&rig, [(403, confirmation.body())]).await;
}

/// Each URL is tried against the local cloud's origin and against AWS's.
async fn urls_are_refused_without_a_fetch(urls: &[&str]) {
    for setup in [Setup::new(), Setup::new().aws()] {
        let rig = setup.start().await;
        let cases = urls.iter().map(|url| (403, rig.draft().with("SigningCertURL", url).signed(&SNS).body()));
        refused(&rig, cases.collect::<Vec<_>>()).await;
        assert_eq!(rig.fetches(), 0);
        assert_eq!(rig.hosts.lock().unwrap().len(), 0);
    }
}

#[tokio::test]
async fn w03_certificates_of_other_hosts_are_never_fetched() {
    let urls = [
        "https://evil.com",
        "https://sns.us-east-1.amazonaws.com.evil.com",
        "https://sns.us-west-2.amazonaws.com.evil.com",
        "https://sns.us-west-2.amazonaws.com@evil.com",
        "https://sns.us-west-2.amazonaws.com.",
        "https://sns.us-east-1.amazonaws.com",
        "https://sns.us-west-2.amazonaws.com.cn",
        "https://SNS.us-west-2.amazonaws.com",
        "https://snѕ.us-west-2.amazonaws.com",
        "https://54.240.250.195",
        "https://[::1]",
        "http://127.0.0.1:1",
        "",
    ];
    let urls: Vec<String> = urls.iter().map(|origin| format!("{origin}{CERT}")).collect();
    urls_are_refused_without_a_fetch(&urls.iter().map(String::as_str).collect::<Vec<_>>()).await;
}

#[tokio::test]
async fn w04_a_bucket_named_sns_is_not_sns() {
    let url = format!("https://sns.s3-ap-southeast-2.amazonaws.com{CERT}");
    urls_are_refused_without_a_fetch(&["https://sns.s3-ap-southeast-2.amazonaws.com/x.pem", &url]).await;
}

#[tokio::test]
async fn w05_s3_is_not_sns() {
    urls_are_refused_without_a_fetch(&["https://s3.amazonaws.com/b/SimpleNotificationService-x.pem"]).await;
}

#[tokio::test]
async fn w06_other_paths_on_the_right_host_are_never_fetched() {
    let paths = [
        "/?x=.pem",
        "/evil?SimpleNotificationService-0123456789abcdef0123456789abcdef.pem",
        "/SimpleNotificationService-0123456789abcdef0123456789abcdef.pem?x",
        "/SimpleNotificationService-0123456789abcdef0123456789abcdef.pem#.pem",
        "/SimpleNotificationService-0123456789ABCDEF0123456789abcdef.pem",
        "/SimpleNotificationService-0123456789abcdef0123456789abcde.pem",
        "/SimpleNotificationService-0123456789abcdef0123456789abcdef0.pem",
        "/SimpleNotificationService-%30123456789abcdef0123456789abcd.pem",
        "/x/../SimpleNotificationService-0123456789abcdef0123456789abcdef.pem",
        "//SimpleNotificationService-0123456789abcdef0123456789abcdef.pem",
        ":443/SimpleNotificationService-0123456789abcdef0123456789abcdef.pem",
        "/SimpleNotificationService-0123456789abcdef0123456789abcdef.pem\n",
    ];
    let rig = Rig::new().await;
    for origin in [rig.sns_origin.as_str(), "https://sns.us-west-2.amazonaws.com"] {
        let urls: Vec<String> = paths.iter().map(|path| format!("{origin}{path}")).collect();
        let cases = urls.iter().map(|url| (403, rig.draft().with("SigningCertURL", url).signed(&SNS).body()));
        refused(&rig, cases.collect::<Vec<_>>()).await;
    }
    assert_eq!(rig.fetches(), 0);
    let user = rig.sns_origin.replace("http://", "http://user@");
    refused(&rig, [(403, rig.draft().with("SigningCertURL", &format!("{user}{CERT}")).signed(&SNS).body())]).await;
    assert_eq!(rig.fetches(), 0);
}

#[tokio::test]
async fn w07_plain_http_and_redirects_are_refused() {
    urls_are_refused_without_a_fetch(&[&format!("http://sns.us-west-2.amazonaws.com{CERT}")]).await;
    let rig = Rig::new().await;
    let elsewhere = Fake::With(302, "location: http://127.0.0.1:9/x.pem", SNS.pem.clone());
    rig.sns.lock().unwrap().files.insert(CERT.to_owned(), elsewhere);
    refused(&rig, [(403, rig.order().body())]).await;
    assert_eq!(rig.fetches(), 1);
}

#[tokio::test]
async fn w08_bad_certificates_are_refused() {
    let expired = Identity::new(|params| params.not_after = rcgen::date_time_ymd(2020, 1, 1));
    let early = Identity::new(|params| params.not_before = rcgen::date_time_ymd(2090, 1, 1));
    let elliptic = rcgen::generate_simple_self_signed(vec!["sns.amazonaws.com".to_owned()]).unwrap().cert.pem();
    let weak = include_str!("../fixtures/rsa-1024.pem").to_owned();
    let two = format!("{}{}", SNS.pem, SNS.pem);
    let huge = format!("{}{}", SNS.pem, "x".repeat(1024 * 1024));
    for (what, pem, status) in [
        ("expired", expired.pem.clone(), 403),
        ("early", early.pem.clone(), 403),
        ("elliptic", elliptic, 403),
        ("weak", weak, 403),
        ("two", two, 403),
        ("nothing", String::new(), 403),
        ("no certificate", "hello".to_owned(), 403),
        ("another key", Identity::new(|_| {}).pem, 403),
        ("huge", huge, 403),
    ] {
        let rig = Rig::new().await;
        rig.sns.lock().unwrap().files.insert(CERT.to_owned(), Fake::Answer(200, pem));
        let reply = rig.send(&rig.order()).await;
        assert_eq!(reply.status, status, "{what}");
        assert_eq!(rig.effects(), 0, "{what}");
    }
}

#[tokio::test]
async fn w09_an_unreachable_certificate_is_try_later() {
    for fake in [Fake::Reset, Fake::Hang, Fake::Answer(500, String::new()), Fake::Trickle] {
        let rig = Setup::new().short().start().await;
        rig.sns.lock().unwrap().files.insert(CERT.to_owned(), fake.clone());
        let order = rig.order();
        assert_eq!(rig.send(&order).await.status, 503, "{fake:?}");
        rig.ahead_ms.store(1000, Ordering::Relaxed);
        rig.sns.lock().unwrap().files.insert(CERT.to_owned(), Fake::Answer(200, SNS.pem.clone()));
        assert_eq!(rig.send(&order).await.status, 200, "{fake:?}: it is not remembered");
    }
}

#[tokio::test]
async fn w10_forged_certificate_urls_neither_flood_sns_nor_stop_orders() {
    let rig = Rig::new().await;
    let started = Instant::now();
    assert_eq!(rig.send(&rig.order()).await.status, 200);
    for number in 0..300 {
        let url = format!("{}/SimpleNotificationService-{number:032x}.pem", rig.sns_origin);
        let forged = rig.draft().with("SigningCertURL", &url).signed(&SNS);
        assert!(matches!(rig.send(&forged).await.status, 403 | 503));
        if number % 100 == 0 {
            assert_eq!(rig.send(&rig.order()).await.status, 200);
        }
    }
    let seconds = usize::try_from(started.elapsed().as_secs()).unwrap();
    assert!(rig.fetches() <= 1 + seconds, "{} fetches in {seconds} s", rig.fetches());
    assert_eq!(rig.effects(), 4);
}

#[tokio::test]
async fn w10_one_certificate_is_fetched_once_for_many() {
    let rig = Rig::new().await;
    let orders: Vec<Message> = (0..20).map(|_| rig.order()).collect();
    let replies = orders.iter().map(Message::body).map(|body| {
        let address = rig.address;
        tokio::spawn(async move {
            super::sender::raw(address, &super::sender::request("POST", "/order/", &[], &body)).await.status
        })
    });
    for reply in replies.collect::<Vec<_>>() {
        assert_eq!(reply.await.unwrap(), 200);
    }
    assert_eq!(rig.fetches(), 1);
}

#[tokio::test]
async fn w11_signature_versions() {
    let rig = Rig::new().await;
    let order = rig.order();
    refused(
        &rig,
        [
            (403, order.clone().with("SignatureVersion", "1").body()),
            (403, order.clone().with("SignatureVersion", "3").body()),
            (403, order.clone().with("SignatureVersion", "").body()),
            (403, order.clone().without("SignatureVersion").body()),
        ],
    )
    .await;
    for (allowed, version, signature, status) in [
        ("false", "1", include_str!("../fixtures/signature-v1.sha1.b64"), 403),
        ("true", "1", include_str!("../fixtures/signature-v1.sha1.b64"), 200),
        ("true", "2", include_str!("../fixtures/signature-v1.sha256.b64"), 200),
        ("true", "2", include_str!("../fixtures/signature-v1.sha1.b64"), 403),
        ("true", "1", include_str!("../fixtures/signature-v1.sha256.b64"), 403),
    ] {
        let rig = Setup::new()
            .var("INTERSTELLA_SNS_SIGNATURE_V1", allowed)
            .var("INTERSTELLA_MAX_MESSAGE_AGE_S", "518400")
            .var("INTERSTELLA_LEDGER_RETENTION_S", "518400")
            .start()
            .await;
        let pem = include_str!("../fixtures/signature-v1.pem").to_owned();
        rig.sns.lock().unwrap().files.insert(CERT.to_owned(), Fake::Answer(200, pem));
        let message = rig
            .draft()
            .with("MessageId", "165545c9-2a5c-472c-8df2-7ff2be2b3b1b")
            .with("Timestamp", "2026-11-22T20:00:00.000Z")
            .with("SignatureVersion", version)
            .with("Signature", signature);
        let signed_at: jiff::Timestamp = "2026-11-22T22:00:00Z".parse().unwrap();
        let now = interstella_worker::Clock::system().now_ms();
        rig.ahead_ms.store(signed_at.as_millisecond() - now, Ordering::Relaxed);
        assert_eq!(rig.send(&message).await.status, status, "version {version}, allowed: {allowed}");
    }
}

#[tokio::test]
async fn w12_one_spelling_and_no_member_twice() {
    let rig = Rig::new().await;
    let order = rig.order();
    let twice = |name: &str, value: &str| {
        let mut message = order.clone();
        message.0.push((name.to_owned(), value.to_owned()));
        (400, message.body())
    };
    let url = order.get("SigningCertURL").to_owned();
    let respelled = order.clone().without("SigningCertURL").with("SigningCertUrl", &url);
    refused(
        &rig,
        [
            twice("Message", "{\"bundle\": 7}"),
            twice("SigningCertUrl", &url),
            twice("message", "x"),
            twice("Signature", "x"),
            (400, respelled.body()),
        ],
    )
    .await;
}

/// Both messages have the same string to sign; only the first is what was signed.
#[tokio::test]
async fn w13_field_shift_is_refused() {
    let rig = Rig::new().await;
    let id = uuid::Uuid::new_v4().to_string();
    let smuggled = "a subject that an attacker chose";
    let honest = rig.draft_of(&format!("{{\"bundle\": 1}}\nMessageId\n{id}\nSubject\n{smuggled}"));
    let rest = format!("Timestamp\n{}", honest.get("Timestamp"));
    let shifted = rig
        .draft()
        .with("MessageId", &id)
        .with("Subject", &format!("{smuggled}\nMessageId\n{}", honest.get("MessageId")))
        .with("Timestamp", honest.get("Timestamp"));
    assert_eq!(honest.string_to_sign(), shifted.string_to_sign());
    assert!(honest.string_to_sign().contains(&rest));
    let signature = SNS.sign(&honest.string_to_sign());
    refused(&rig, [(400, shifted.with("Signature", &signature).body())]).await;
    let long_id = rig.draft().with("MessageId", &format!("{id}\nTimestamp\nx")).signed(&SNS);
    let time = rig.draft().with("Timestamp", "2026-11-22T20:00:00Z").signed(&SNS);
    let subject = rig.draft().with("Subject", &"x".repeat(101)).signed(&SNS);
    refused(&rig, [(400, long_id.body()), (400, time.body()), (400, subject.body())]).await;
    let with_subject = rig.draft().with("Subject", "one line").signed(&SNS);
    assert_eq!(rig.send(&with_subject).await.status, 200);
}

#[tokio::test]
async fn w14_another_topic_is_refused_however_well_signed() {
    let rig = Rig::new().await;
    let topics = [
        "arn:aws:sns:us-west-2:999999999999:orderTopic",
        "arn:aws:sns:us-east-1:123456789012:orderTopic",
        "arn:aws:sns:us-west-2:123456789012:orderTopic2",
        "ARN:aws:sns:us-west-2:123456789012:orderTopic",
    ];
    refused(&rig, topics.map(|topic| (403, rig.draft().with("TopicArn", topic).signed(&SNS).body()))).await;
    assert_eq!(rig.fetches(), 0);
}

#[tokio::test]
async fn w15_headers_may_be_absent_but_not_disagree() {
    let rig = Rig::new().await;
    let order = rig.order();
    for header in [
        ("x-amz-sns-message-type", "SubscriptionConfirmation"),
        ("x-amz-sns-message-id", "other"),
        ("x-amz-sns-topic-arn", "arn:aws:sns:us-west-2:999999999999:orderTopic"),
    ] {
        assert_eq!(rig.post(&order.body(), &[header]).await.status, 400, "{header:?}");
    }
    assert_eq!(rig.effects(), 0);
    let agreeing = [("x-amz-sns-message-type", "Notification"), ("x-amz-sns-message-id", order.get("MessageId"))];
    assert_eq!(rig.post(&order.body(), &agreeing).await.status, 200);
}

#[tokio::test]
async fn w16_raw_deliveries_and_bare_orders_are_refused_with_an_alarm() {
    let rig = Rig::new().await;
    let raw = [("x-amz-sns-rawdelivery", "true")];
    assert_eq!(rig.post("{\"bundle\": 1}", &raw).await.status, 403);
    assert_eq!(rig.post(&rig.order().body(), &raw).await.status, 403);
    assert_eq!(rig.post("{\"bundle\": 1}", &[]).await.status, 403);
    assert_eq!(rig.effects(), 0);
    assert!(rig.metrics().await.contains("worker_alarms_total{kind=\"unsigned\"} 3"));
}

#[tokio::test]
async fn w17_a_replay_has_no_second_effect() {
    let rig = Rig::new().await;
    let order = rig.order();
    assert_eq!(rig.send(&order).await.body, "fulfilled");
    for _ in 0..3 {
        let reply = rig.send(&order).await;
        assert_eq!((reply.status, reply.body.as_str()), (200, "duplicate"));
    }
    assert_eq!(rig.api.lock().unwrap().asked.len(), 1);
}

#[tokio::test]
async fn w18_a_message_older_than_the_limit_is_refused() {
    let rig = Rig::new().await;
    let order = rig.order();
    assert_eq!(rig.send(&order).await.status, 200);
    let limit_ms = 7200 * 1000;
    assert!(Retention::default().as_millis() > limit_ms);
    rig.ahead_ms.store(limit_ms + 1000, Ordering::Relaxed);
    assert_eq!(rig.send(&order).await.status, 403);
    let patient =
        Setup::new().var("INTERSTELLA_MAX_MESSAGE_AGE_S", "10800").var("INTERSTELLA_LEDGER_RETENTION_S", "10800");
    let patient = patient.start().await;
    patient.ahead_ms.store(limit_ms + 1000, Ordering::Relaxed);
    assert_eq!(patient.send(&patient.order()).await.status, 200, "an operator may redrive old messages");
}

#[tokio::test]
async fn w19_a_message_from_the_future_is_refused_unless_our_clock_is_wrong() {
    let rig = Rig::new().await;
    let tomorrow = format!("{:.3}", interstella_worker::Clock::system().now() + jiff::SignedDuration::from_secs(400));
    let from_the_future = rig.draft().with("Timestamp", &tomorrow).signed(&SNS);
    refused(&rig, [(403, from_the_future.body())]).await;
    rig.jumped_ms.store(-400_000, Ordering::Relaxed);
    refused(&rig, [(503, rig.order().body())]).await;
    assert!(rig.metrics().await.contains("alarms_total{kind=\"clock\"} 1"));
}

#[tokio::test]
async fn w19_orders_survive_whatever_the_clock_does_while_the_worker_runs() {
    for jumps_ms in [[-600_000, 10_800_000], [10_800_000, -600_000], [86_400_000, -86_400_000], [7_300_000, -310_000]] {
        let rig = Rig::new().await;
        assert_eq!(rig.send(&rig.order()).await.status, 200);
        let delivered: Vec<_> = (0..4).map(|_| rig.order()).collect();
        for jump_ms in jumps_ms {
            rig.jumped_ms.store(jump_ms, Ordering::Relaxed);
            for order in &delivered {
                assert_eq!(rig.send(order).await.status, 503, "{jump_ms}");
                let forged = order.clone().with("Message", "{\"bundle\": 2}");
                assert_eq!(rig.send(&forged).await.status, 403, "{jump_ms}: only a bad signature is final");
            }
        }
        rig.jumped_ms.store(0, Ordering::Relaxed);
        for order in &delivered {
            assert_eq!(rig.send(order).await.status, 200, "SNS delivers it again");
        }
        assert_eq!(rig.effects(), 5);
    }
}

#[tokio::test]
async fn w19_after_a_sleep_the_clock_is_asked_for_before_anything_is_final() {
    let rig = Rig::new().await;
    assert_eq!(rig.send(&rig.order()).await.status, 200);
    let old = rig.draft().with("Timestamp", "2026-01-01T00:00:00.000Z").signed(&SNS);
    // The wall clock is wrong, and becomes right again long after the last evidence.
    rig.jumped_ms.store(10_800_000, Ordering::Relaxed);
    refused_again(&rig, 503, &old).await;
    rig.jumped_ms.store(0, Ordering::Relaxed);
    refused_again(&rig, 403, &old).await;
    let asked = rig.fetches();
    // A steady clock that stood still looks the same, and is told from it by asking again, once a minute at most.
    rig.ahead_ms.store(61_000, Ordering::Relaxed);
    rig.jumped_ms.store(-61_000 - 600_000, Ordering::Relaxed);
    refused_again(&rig, 503, &rig.order()).await;
    refused_again(&rig, 503, &rig.order()).await;
    assert_eq!(rig.fetches(), asked + 1);
}

#[tokio::test]
async fn w19_a_clock_that_is_set_right_while_a_message_is_looked_at_refuses_nothing_for_good() {
    let rig = Rig::new().await;
    assert_eq!(rig.send(&rig.order()).await.status, 200);
    let asked = rig.fetches();
    rig.sns.lock().unwrap().files.insert(CERT.to_owned(), Fake::Hang);
    rig.ahead_ms.store(61_000, Ordering::Relaxed);
    rig.jumped_ms.store(-661_000, Ordering::Relaxed);
    let order = rig.order();
    let (reply, ()) = tokio::join!(rig.send(&order), async {
        eventually("the time is asked for", || rig.fetches() > asked).await;
        rig.jumped_ms.store(0, Ordering::Relaxed);
    });
    assert_eq!(reply.status, 200, "{reply:?}");
}

async fn refused_again(rig: &Rig, status: u16, order: &Message) {
    let reply = rig.send(order).await;
    assert_eq!(reply.status, status, "{reply:?}");
    assert_eq!(rig.effects(), 1);
}
