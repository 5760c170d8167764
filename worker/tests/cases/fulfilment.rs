//! W42–W54: whatever the fulfilment API does, an order has one effect, or at most one and a person is told.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::net::TcpListener;

use super::fake::Fake;
use super::support::{Rig, Setup, Step, eventually};

fn answer(effect: bool, status: u16) -> Step {
    (effect, Fake::Answer(status, "{}".to_owned()))
}

async fn careful() -> Rig {
    let rig = Setup::new().var("INTERSTELLA_FULFILMENT_IDEMPOTENT", "false").start().await;
    rig.api.lock().unwrap().ignores_keys = true;
    rig
}

fn calls(rig: &Rig) -> usize {
    rig.api.lock().unwrap().asked.len()
}

#[tokio::test]
async fn w42_w43_any_2xx_is_done() {
    for step in [
        answer(true, 200),
        answer(true, 201),
        answer(true, 202),
        (true, Fake::With(204, "x: y", String::new())),
        (true, Fake::With(200, "content-type: text/html", "error".to_owned())),
    ] {
        let rig = Rig::new().await;
        rig.script([step]);
        let order = rig.order();
        assert_eq!(rig.send(&order).await.body, "fulfilled");
        assert_eq!(rig.send(&order).await.body, "duplicate");
        assert_eq!(calls(&rig), 1);
    }
}

#[tokio::test]
async fn w44_a_permanent_refusal_is_kept_and_200() {
    for status in [400, 404, 405, 422] {
        let rig = Rig::new().await;
        rig.script([answer(false, status)]);
        let order = rig.order();
        let reply = rig.send(&order).await;
        assert_eq!((reply.status, reply.body.as_str()), (200, "rejected"), "{status}");
        assert_eq!(rig.send(&order).await.status, 200);
        assert_eq!(calls(&rig), 1, "{status}");
        assert!(rig.metrics().await.contains("worker_alarms_total{kind=\"rejected\"} 1"));
    }
}

#[tokio::test]
async fn w45_a_refused_api_key_is_not_the_orders_fault() {
    for status in [401, 403] {
        let rig = careful().await;
        rig.script([answer(false, status)]);
        let order = rig.order();
        assert_eq!(rig.send(&order).await.status, 503);
        assert_eq!(rig.get("/").await.status, 200, "the worker stays in service");
        assert!(rig.metrics().await.contains("worker_alarms_total{kind=\"api_key\"} 1"));
        rig.ahead_ms.store(6000, Ordering::Relaxed);
        assert_eq!(rig.send(&order).await.body, "fulfilled");
        assert_eq!(rig.effects(), 1);
    }
}

/// A new key in the file is found when the API refuses the old one, and the file is read at most once a minute.
#[tokio::test]
async fn w45_a_refused_key_is_read_again_from_its_file() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("key");
    std::fs::write(&file, "first\n").unwrap();
    let rig = Setup::new().var("INTERSTELLA_API_KEY_FILE", file.to_str().unwrap()).start().await;
    // Each row: the second, what the file holds, what the API says to the key that it is shown.
    for (at_s, holds, says, shown) in [
        (0, "first", 200, "first"),
        (1, "second", 200, "first"),
        (2, "second", 401, "first"),
        (10, "second", 200, "second"),
        (11, "third", 403, "second"),
        (20, "third", 200, "second"),
        (63, "not a key", 401, "second"),
        (70, "third", 200, "second"),
        (124, "third", 401, "second"),
        (130, "third", 200, "third"),
    ] {
        std::fs::write(&file, holds).unwrap();
        rig.ahead_ms.store(at_s * 1000, Ordering::Relaxed);
        rig.script([answer(says == 200, says)]);
        let reply = rig.send(&rig.order()).await;
        assert_eq!(reply.status, if says == 200 { 200 } else { 503 }, "at {at_s} s");
        let api = rig.api.lock().unwrap();
        assert_eq!(api.asked.last().unwrap().header("x-api-key"), Some(shown), "at {at_s} s");
    }
}

#[tokio::test]
async fn w46_a_key_in_use_is_try_later() {
    let rig = Rig::new().await;
    rig.script([answer(false, 409), answer(false, 409), answer(true, 200)]);
    let order = rig.order();
    assert_eq!(rig.send(&order).await.status, 503);
    assert_eq!(rig.send(&order).await.status, 200);
    let api = rig.api.lock().unwrap();
    let keys: Vec<_> = api.asked.iter().map(|asked| asked.header("idempotency-key").unwrap()).collect();
    assert!(keys.iter().all(|key| *key == keys[0]));
}

#[tokio::test]
async fn w47_retry_after_holds_for_every_order() {
    for status in [429, 425, 408] {
        let rig = Rig::new().await;
        rig.script([(false, Fake::With(status, "retry-after: 30", String::new()))]);
        let order = rig.order();
        let reply = rig.send(&order).await;
        assert_eq!(reply.status, 503);
        assert!(reply.head.contains("retry-after: 30"), "{}", reply.head);
        assert_eq!(rig.send(&rig.order()).await.status, 503);
        assert_eq!(calls(&rig), 1, "{status}: nobody calls meanwhile");
        rig.ahead_ms.store(31_000, Ordering::Relaxed);
        assert_eq!(rig.send(&order).await.status, 200);
        assert_eq!(rig.effects(), 1);
    }
}

#[tokio::test]
async fn w48_server_errors_are_repeated_once_or_parked() {
    for status in [500, 502, 503, 504] {
        let rig = Rig::new().await;
        rig.script([answer(false, status)]);
        assert_eq!(rig.send(&rig.order()).await.status, 200);
        assert_eq!(calls(&rig), 2);
        rig.script([answer(false, status), answer(false, status)]);
        assert_eq!(rig.send(&rig.order()).await.status, 503);
        assert_eq!(calls(&rig), 4, "one repetition, not more");

        let rig = careful().await;
        rig.script([answer(false, status)]);
        let order = rig.order();
        assert_eq!(rig.send(&order).await.status, 503);
        let reply = rig.send(&order).await;
        assert_eq!((reply.status, reply.body.as_str()), (200, "parked"));
        assert_eq!(calls(&rig), 1);
    }
}

#[tokio::test]
async fn w49_a_refused_connection_is_safe_to_repeat() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let mut rig = Setup::new()
        .var("INTERSTELLA_FULFILMENT_IDEMPOTENT", "false")
        .var("INTERSTELLA_API_ENDPOINT", &format!("http://{closed}/"))
        .start()
        .await;
    rig.allowed.push(closed.to_string());
    let order = rig.order();
    for _ in 0..2 {
        assert_eq!(rig.send(&order).await.status, 503, "not parked: it was never sent");
    }
    let connects = rig.hosts.lock().unwrap().iter().filter(|host| **host == closed.to_string()).count();
    assert_eq!(connects, 4);
}

#[tokio::test]
async fn w50_a_hanging_or_endless_answer_ends_before_sns_gives_up() {
    let slow = |fake: Fake| async move {
        let rig = Setup::new().short().start().await;
        rig.script([(true, fake.clone()), (true, fake.clone())]);
        let order = rig.order();
        let started = Instant::now();
        assert_eq!(rig.send(&order).await.status, 503, "{fake:?}");
        assert!(started.elapsed() < Duration::from_secs(12) / 10 * 2, "{fake:?}");
        assert_eq!(rig.send(&order).await.body, "fulfilled", "{fake:?}");
        assert_eq!(rig.effects(), 1);
    };
    tokio::join!(slow(Fake::Hang), slow(Fake::Trickle), slow(Fake::Endless));
}

#[tokio::test]
async fn w51_an_error_after_the_effect_does_not_double_it() {
    for fake in [Fake::Reset, Fake::Answer(500, String::new())] {
        let rig = Rig::new().await;
        rig.script([(true, fake.clone())]);
        assert_eq!(rig.send(&rig.order()).await.body, "fulfilled");
        assert_eq!(rig.effects(), 1);

        let rig = careful().await;
        rig.script([(true, fake.clone())]);
        let order = rig.order();
        assert_eq!(rig.send(&order).await.status, 503);
        assert_eq!(rig.send(&order).await.body, "parked");
        assert_eq!(rig.send(&order).await.body, "duplicate");
        assert_eq!(rig.effects(), 1);
    }
}

#[tokio::test]
async fn w52_redirects_are_not_followed() {
    let rig = careful().await;
    rig.script([(false, Fake::With(307, "location: http://evil.example/", String::new()))]);
    assert_eq!(rig.send(&rig.order()).await.status, 503);
    assert_eq!(calls(&rig), 1);
}

#[tokio::test]
async fn w53_after_an_outage_every_order_is_fulfilled() {
    let rig = Rig::new().await;
    rig.api.lock().unwrap().then = Some(answer(false, 503));
    let orders: Vec<_> = (0..10).map(|_| rig.order()).collect();
    for minute in 0..50 {
        rig.ahead_ms.store(minute * 60_000, Ordering::Relaxed);
        for order in &orders {
            assert_eq!(rig.send(order).await.status, 503);
        }
    }
    rig.api.lock().unwrap().then = None;
    for order in &orders {
        assert_eq!(rig.send(order).await.body, "fulfilled");
    }
    assert_eq!(rig.effects(), 10);
}

#[tokio::test]
async fn w54_orders_beyond_what_can_be_worked_on_get_a_fast_503() {
    let rig = Setup::new().var("INTERSTELLA_MAX_IN_FLIGHT", "4").short().start().await;
    rig.api.lock().unwrap().then = Some((false, Fake::Hang));
    let waiting: Vec<_> = (0..4)
        .map(|_| {
            let (address, body) = (rig.address, rig.order().body());
            tokio::spawn(async move {
                super::sender::raw(address, &super::sender::request("POST", "/order/", &[], &body)).await
            })
        })
        .collect();
    eventually("four calls hang", || calls(&rig) == 4).await;
    let started = Instant::now();
    assert_eq!(rig.send(&rig.order()).await.body, "overloaded");
    assert!(started.elapsed() < Duration::from_secs(1));
    assert_eq!(rig.get("/").await.status, 200);
    for one in waiting {
        assert_eq!(one.await.unwrap().status, 503);
    }
}
