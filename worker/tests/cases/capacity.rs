//! What becomes of orders that a worker with a limit on orders at once has no place for.

use std::sync::Arc;
use std::time::{Duration, Instant};

use interstella_worker::ledger::{Ledger, SqliteLedger};
use tokio::task::JoinHandle;

use super::fake::Fake;
use super::sender::{Message, Reply, raw, request};
use super::support::{Rig, Setup, eventually};

fn one_at_a_time() -> Setup {
    Setup::new().var("INTERSTELLA_MAX_CONCURRENT_ORDERS", "1")
}

fn sending(rig: &Rig, order: &Message) -> JoinHandle<Reply> {
    let (address, body) = (rig.address, order.body());
    tokio::spawn(async move { raw(address, &request("POST", "/order/", &[], &body)).await })
}

fn calls(rig: &Rig) -> usize {
    rig.api.lock().unwrap().asked.len()
}

/// Sends an order whose call hangs, and returns when the only place is taken.
async fn take_the_place(rig: &Rig) -> JoinHandle<Reply> {
    rig.script([(false, Fake::Hang)]);
    let first = sending(rig, &rig.order());
    eventually("the call hangs", || calls(rig) == 1).await;
    first
}

/// Sends another order, and returns when it waits.
async fn keep_waiting(rig: &Rig, order: &Message) -> JoinHandle<Reply> {
    let waiting = sending(rig, order);
    let waits = async { while !rig.metrics().await.contains("worker_waiting 1") {} };
    tokio::time::timeout(Duration::from_secs(3), waits).await.expect("it waits");
    waiting
}

#[tokio::test]
async fn orders_are_worked_on_one_after_the_other_and_health_checks_do_not_wait() {
    let rig = one_at_a_time().var("INTERSTELLA_GATHER_MS", "100").start().await;
    let started = Instant::now();
    let orders: Vec<_> = (0..8).map(|_| sending(&rig, &rig.order())).collect();
    assert_eq!(rig.get("/").await.status, 200);
    assert!(started.elapsed() < Duration::from_millis(800), "the health check came between");
    for order in orders {
        assert_eq!(order.await.unwrap().body, "fulfilled");
    }
    assert!(started.elapsed() >= Duration::from_millis(800), "{:?}", started.elapsed());
    assert_eq!(rig.effects(), 8);
}

#[tokio::test]
async fn an_order_without_a_place_in_time_comes_again_and_was_never_claimed() {
    let rig = one_at_a_time().short().var("INTERSTELLA_GATHER_MS", "500").start().await;
    rig.script([(false, Fake::Hang)]);
    let first = take_the_place(&rig).await;
    let order = rig.order();
    let reply = rig.send(&order).await;
    assert_eq!((reply.status, reply.body.as_str()), (503, "busy with other orders"));
    assert!(reply.head.contains("retry-after: 1"), "{}", reply.head);
    assert!(rig.metrics().await.contains("worker_orders_total{result=\"busy with other orders\"} 1"));
    assert_eq!(first.await.unwrap().status, 503);
    assert_eq!(rig.send(&order).await.body, "fulfilled", "no lease is in the way");
}

/// SNS gives up on an order that waits too long, and may deliver it to a worker that has room.
#[tokio::test]
async fn an_order_that_waits_here_can_be_fulfilled_elsewhere() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = || Arc::new(SqliteLedger::open(&directory.path().join("ledger.db")).unwrap()) as Arc<dyn Ledger>;
    let busy = one_at_a_time().ledger(ledger()).start().await;
    let first = take_the_place(&busy).await;
    let order = busy.order();
    let waiting = keep_waiting(&busy, &order).await;
    let other = Setup::new().ledger(ledger()).start().await;
    let again = order.clone().with("SigningCertURL", other.draft().get("SigningCertURL"));
    assert_eq!(other.send(&again).await.body, "fulfilled");
    assert_eq!(waiting.await.unwrap().body, "duplicate");
    assert_eq!(first.await.unwrap().body, "fulfilled");
    assert_eq!((busy.effects(), other.effects()), (1, 1));
}

#[tokio::test]
async fn a_drain_finishes_what_has_a_place_and_sends_away_what_waits() {
    let mut rig = one_at_a_time().short().start().await;
    let first = take_the_place(&rig).await;
    let waiting = keep_waiting(&rig, &rig.order()).await;
    rig.terminate();
    assert_eq!(waiting.await.unwrap().body, "busy with other orders");
    assert_eq!(first.await.unwrap().body, "fulfilled");
    rig.ended().await.unwrap();
    assert_eq!(rig.effects(), 1);
}
