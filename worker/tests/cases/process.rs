//! W55–W67: replicas, drains, overload, and a ledger that fails. (W57's crash points are in `src/fulfil/crash_tests.rs`.)

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use interstella_worker::Clock;
use interstella_worker::ledger::{
    Answer, Change, Ledger, LedgerError, MemoryLedger, Outcome, Record, Retention, SqliteLedger,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::fake::Fake;
use super::sender::{Message, Reply, raw, read_reply, request};
use super::support::{Rig, Setup, eventually};

/// Sends without waiting.
fn sending(rig: &Rig, order: &Message) -> JoinHandle<Reply> {
    let (address, bytes) = (rig.address, request("POST", "/order/", &[], &order.body()));
    tokio::spawn(async move { raw(address, &bytes).await })
}

#[tokio::test]
async fn w55_duplicates_on_different_replicas_have_one_effect() {
    let dir = tempfile::tempdir().unwrap();
    let sqlite: Arc<dyn Ledger> = Arc::new(SqliteLedger::open(&dir.path().join("ledger.db")).unwrap());
    for ledger in [Arc::new(MemoryLedger::default()) as Arc<dyn Ledger>, sqlite] {
        let gather =
            |ledger: &Arc<dyn Ledger>| Setup::new().ledger(Arc::clone(ledger)).var("INTERSTELLA_GATHER_MS", "50");
        let (one, two) = (gather(&ledger).start().await, gather(&ledger).start().await);
        let order = one.draft();
        let other = order.clone().with("SigningCertURL", two.draft().get("SigningCertURL"));
        let (order, other) = (order.signed(&super::sender::SNS), other.signed(&super::sender::SNS));
        let sent: Vec<_> = (0..50).flat_map(|_| [sending(&one, &order), sending(&two, &other)]).collect();
        for reply in sent {
            assert!(matches!(reply.await.unwrap().status, 200 | 503));
        }
        assert_eq!(one.send(&order).await.body, "duplicate");
        assert_eq!(two.send(&other).await.body, "duplicate");
        assert_eq!(one.effects() + two.effects(), 1);
    }
}

#[tokio::test]
async fn w55_an_order_in_progress_is_503_with_a_hint() {
    let rig = Setup::new().short().start().await;
    rig.script([(true, Fake::Hang)]);
    let order = rig.order();
    let first = sending(&rig, &order);
    eventually("the call hangs", || rig.effects() == 1).await;
    let second = rig.send(&order).await;
    assert_eq!(second.status, 503);
    assert!(second.head.contains("retry-after: "), "{}", second.head);
    assert_eq!(first.await.unwrap().body, "fulfilled");
}

#[tokio::test]
async fn w56_order_and_delay_do_not_matter() {
    let rig = Rig::new().await;
    let orders: Vec<_> = (0..5).map(|_| rig.order()).collect();
    rig.ahead_ms.store(3_600_000, Ordering::Relaxed);
    for order in orders.iter().rev() {
        assert_eq!(rig.send(order).await.body, "fulfilled");
    }
    assert_eq!(rig.effects(), 5);
}

#[tokio::test]
async fn w57_w59_a_killed_workers_order_is_finished_by_the_next() {
    let dir = tempfile::tempdir().unwrap();
    let open = || Arc::new(SqliteLedger::open(&dir.path().join("ledger.db")).unwrap()) as Arc<dyn Ledger>;
    let first = Setup::new().ledger(open()).start().await;
    first.script([(true, Fake::Hang)]);
    let order = first.order();
    let lost = sending(&first, &order);
    eventually("the call hangs", || first.effects() == 1).await;
    first.kill();
    let second = Setup::new().ledger(open()).start().await;
    let again = order.clone().with("SigningCertURL", second.draft().get("SigningCertURL"));
    assert_eq!(second.send(&again).await.status, 503, "its lease is live");
    second.ahead_ms.store(21_000, Ordering::Relaxed);
    assert_eq!(second.send(&again).await.body, "fulfilled", "the same key goes out again");
    let key = |rig: &Rig| rig.api.lock().unwrap().effects.keys().next().cloned();
    assert_eq!(key(&first), key(&second));
    lost.abort();
}

#[tokio::test]
async fn w58_a_drain_finishes_what_was_begun_and_takes_what_still_comes() {
    let mut rig = Setup::new().var("INTERSTELLA_GATHER_MS", "500").var("INTERSTELLA_DRAIN_LAG_MS", "300").start().await;
    rig.script([(false, Fake::Answer(500, String::new()))]);
    let begun: Vec<_> = (0..50).map(|_| sending(&rig, &rig.order())).collect();
    eventually("the certificate is fetched", || rig.fetches() == 1).await;
    rig.terminate();
    let ready = async { while rig.get("/").await.status != 503 {} };
    tokio::time::timeout(Duration::from_secs(1), ready).await.unwrap();
    let late = rig.send(&rig.order()).await;
    assert_eq!(late.status, 200);
    assert!(late.head.contains("connection: close"));
    for one in begun {
        assert_eq!(one.await.unwrap().status, 200);
    }
    let started = Instant::now();
    rig.ended().await.unwrap();
    assert!(started.elapsed() < Duration::from_secs(5));
    assert_eq!(rig.effects(), 51);
}

#[tokio::test]
async fn w58_a_connection_that_never_sends_a_byte_does_not_hold_the_drain() {
    let mut rig = Rig::new().await;
    let mut silent = TcpStream::connect(rig.address).await.unwrap();
    // Its place in the queue before this one's says that it was accepted.
    assert_eq!(rig.get("/").await.status, 200);
    rig.terminate();
    tokio::time::timeout(Duration::from_secs(3), rig.ended()).await.expect("sooner than its time for a byte").unwrap();
    assert_eq!(read_reply(&mut silent).await.status, 0);
}

#[tokio::test]
async fn w60_an_idle_connection_is_not_closed_by_us_first() {
    let rig = Setup::new().short().start().await;
    let mut stream = TcpStream::connect(rig.address).await.unwrap();
    stream.write_all(&request("GET", "/", &[], "")).await.unwrap();
    assert_eq!(read_reply(&mut stream).await.status, 200);
    // Longer than the time for a head and for a first byte.
    let closed = tokio::time::timeout(Duration::from_millis(1500), stream.read_u8()).await;
    assert!(closed.is_err(), "{closed:?}");
    stream.write_all(&request("GET", "/", &[], "")).await.unwrap();
    assert_eq!(read_reply(&mut stream).await.status, 200);
}

#[tokio::test]
async fn w61_all_bodies_share_one_budget() {
    let rig = Rig::new().await;
    let head = format!("POST /order/ HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n\r\n", 1024 * 1024);
    let mut holders = Vec::new();
    let mut refused = 0;
    for _ in 0..40 {
        let mut stream = TcpStream::connect(rig.address).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        // What is refused may be closed before all of it is written.
        let _sent = stream.write_all(&vec![b'x'; 1024 * 1024 - 1]).await;
        holders.push(stream);
    }
    for stream in &mut holders {
        if read_reply(stream).await.status == 503 {
            refused += 1;
        }
    }
    assert!((8..20).contains(&refused), "32 MiB are admitted, the rest is told to come back: {refused}");
    drop(holders);
    assert_eq!(rig.send(&rig.order()).await.status, 200, "the budget is given back");
}

#[tokio::test]
async fn w63_beyond_the_cap_health_checks_are_answered_and_orders_shed() {
    let rig = Setup::new().var("INTERSTELLA_MAX_CONNECTIONS", "2").start().await;
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(rig.address).await.unwrap();
        stream.write_all(b"POST /order/ HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n\r\n1").await.unwrap();
        held.push(stream);
    }
    // Until both are at work, they are idle and make room.
    let full = async { while rig.send(&rig.order()).await.status != 503 {} };
    tokio::time::timeout(Duration::from_secs(5), full).await.unwrap();
    let started = Instant::now();
    for _ in 0..20 {
        assert_eq!(rig.get("/").await.status, 200);
        let shed = rig.send(&rig.order()).await;
        assert_eq!((shed.status, shed.body.as_str()), (503, "overloaded"));
    }
    assert!(started.elapsed() < Duration::from_secs(2));
    drop(held);
    let recovered = async { while rig.send(&rig.order()).await.status != 200 {} };
    tokio::time::timeout(Duration::from_secs(5), recovered).await.unwrap();
}

#[tokio::test]
async fn w63_idle_connections_fill_neither_the_places_nor_the_reserve() {
    let rig = Setup::new().var("INTERSTELLA_MAX_CONNECTIONS", "8").start().await;
    let mut crowd = Vec::new();
    for number in 0..400 {
        let mut stream = TcpStream::connect(rig.address).await.unwrap();
        match number % 3 {
            0 => stream.write_all(b"POST /ord").await.unwrap(),
            1 => {
                // Whoever is sent away may find out while it asks.
                let _ = stream.write_all(&request("GET", "/", &[], "")).await;
            }
            _ => {}
        }
        crowd.push(stream);
        if number % 40 == 0 {
            assert_eq!(rig.get("/").await.status, 200, "after {number}");
            assert_eq!(rig.send(&rig.order()).await.status, 200, "after {number}");
        }
    }
}

/// Whoever sets the wall clock forward by more than the retention, and back, makes no ledger forget.
#[tokio::test]
async fn w19_an_order_is_known_however_the_clock_is_set() {
    let dir = tempfile::tempdir().unwrap();
    let sqlite = format!("sqlite:{}", dir.path().join("ledger.db").display());
    for ledger in ["memory", &sqlite] {
        let rig = Setup::new().var("INTERSTELLA_LEDGER", ledger).start().await;
        let order = rig.order();
        assert_eq!(rig.send(&order).await.body, "fulfilled");
        rig.jumped_ms.store(10 * 3_600_000, Ordering::Relaxed);
        for _ in 0..20 {
            rig.send(&rig.order()).await;
        }
        rig.jumped_ms.store(0, Ordering::Relaxed);
        assert_eq!(rig.send(&order).await.body, "duplicate", "{ledger}");
    }
}

/// A few orders fill it. The first ones stay known, and a person is called.
#[tokio::test]
async fn w67_a_full_ledger_is_503_with_an_alarm_and_forgets_nothing() {
    let ledger = MemoryLedger::new(Clock::system(), Retention::default(), 1000);
    let rig = Setup::new().ledger(Arc::new(ledger)).start().await;
    let first = rig.order();
    assert_eq!(rig.send(&first).await.body, "fulfilled");
    let mut last = rig.send(&rig.order()).await;
    while last.status == 200 {
        last = rig.send(&rig.order()).await;
    }
    let effects = rig.effects();
    assert_eq!((last.status, last.body.as_str()), (503, "the ledger is full"));
    assert!(last.head.contains("retry-after: "), "{}", last.head);
    assert_eq!(rig.send(&first).await.body, "duplicate");
    assert_eq!(rig.effects(), effects);
    assert!(rig.metrics().await.contains("worker_alarms_total{kind=\"ledger_full\"} 1"));
}

#[tokio::test]
async fn the_ledgers_file_is_its_owners_alone_and_no_link_is_followed() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let rig = Setup::new().ledger(Arc::new(SqliteLedger::open(&at("ledger.db")).unwrap())).start().await;
    assert_eq!(rig.send(&rig.order()).await.status, 200);
    for entry in std::fs::read_dir(dir.path()).unwrap() {
        let entry = entry.unwrap();
        let mode = std::os::unix::fs::PermissionsExt::mode(&entry.metadata().unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600, "{:?}", entry.path());
    }
    std::fs::write(at("victim"), "precious").unwrap();
    std::os::unix::fs::symlink(at("victim"), at("link.db")).unwrap();
    let refused = SqliteLedger::open(&at("link.db")).err().unwrap().to_string();
    assert!(refused.contains("is a link"), "{refused}");
    assert_eq!(std::fs::read_to_string(at("victim")).unwrap(), "precious");
}

/// A ledger that misbehaves in one way.
#[derive(Clone, Copy)]
enum Broken {
    Panics,
    Hangs,
    Fails,
}

impl Ledger for Broken {
    fn apply(&self, _: Uuid, _: Change, _: i64) -> Answer<'_, Outcome> {
        match self {
            Broken::Panics => panic!("a mistake"),
            Broken::Hangs => Box::pin(pending()),
            Broken::Fails => Box::pin(async { Err(LedgerError::Failed("throttled".to_owned())) }),
        }
    }

    fn get(&self, _: Uuid) -> Answer<'_, Option<Record>> {
        Box::pin(pending())
    }

    fn held(&self, _: u32) -> Answer<'_, Vec<(Uuid, Record)>> {
        Box::pin(pending())
    }
}

#[tokio::test]
async fn w65_a_panic_is_500_and_the_worker_lives() {
    let rig = Setup::new().ledger(Arc::new(Broken::Panics)).start().await;
    for _ in 0..3 {
        assert_eq!(rig.send(&rig.order()).await.status, 500);
    }
    assert_eq!(rig.get("/").await.status, 200);
    assert!(rig.metrics().await.contains("worker_panics_total 3"));
}

#[tokio::test]
async fn w66_without_the_ledger_nothing_is_fulfilled() {
    for broken in [Broken::Hangs, Broken::Fails] {
        let rig = Setup::new().ledger(Arc::new(broken)).start().await;
        let started = Instant::now();
        assert_eq!(rig.send(&rig.order()).await.status, 503);
        assert!(started.elapsed() < Duration::from_secs(3));
        assert!(rig.api.lock().unwrap().asked.is_empty());
        let hello = rig.draft_of("hello").signed(&super::sender::SNS);
        assert_eq!(rig.send(&hello).await.status, 503, "quarantine needs the ledger too");
    }
}

#[tokio::test]
async fn w67_a_clock_jump_during_a_lease_has_no_second_effect() {
    let rig = Setup::new().short().start().await;
    rig.script([(true, Fake::Hang)]);
    let order = rig.order();
    let first = sending(&rig, &order);
    eventually("the call hangs", || rig.effects() == 1).await;
    rig.ahead_ms.store(60_000, Ordering::Relaxed);
    assert_eq!(rig.send(&order).await.body, "fulfilled");
    let fenced = first.await.unwrap();
    assert_eq!((fenced.status, fenced.body.as_str()), (503, "fenced"));
    assert_eq!(rig.send(&order).await.body, "duplicate");
    assert_eq!(rig.effects(), 1);
}
