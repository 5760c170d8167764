//! One contract, run over every ledger.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use uuid::Uuid;

use super::{Change, Fingerprint, LEASE_MS, Ledger, MemoryLedger, Outcome, Retention, SqliteLedger, State};
use crate::clock::Clock;

const NOW: i64 = 1_700_000_000_000;

type Named = (&'static str, Arc<dyn Ledger>);

/// New and empty ones. The folder is SQLite's.
pub(crate) async fn ledgers() -> (tempfile::TempDir, Vec<Named>) {
    let dir = tempfile::tempdir().unwrap();
    let memory: Named = ("memory", Arc::new(MemoryLedger::default()));
    let sqlite: Named = ("sqlite", Arc::new(SqliteLedger::open(&dir.path().join("ledger.db")).unwrap()));
    #[cfg(feature = "dynamodb")]
    let dynamodb: Named = ("dynamodb", Arc::new(super::dynamodb::fresh_table::ledger().await));
    let ledgers = [
        memory,
        sqlite,
        #[cfg(feature = "dynamodb")]
        dynamodb,
    ];
    (dir, Vec::from(ledgers))
}

fn claim(idempotent: bool) -> Change {
    Change::Claim { fingerprint: Fingerprint::of("aa"), order: "{\"bundle\":1}".to_owned(), idempotent }
}

/// Each row: what is asked, how many milliseconds after the start, and the expected answer.
async fn play(script: &[(Change, i64, Outcome)]) {
    let (_dir, ledgers) = ledgers().await;
    for (name, ledger) in ledgers {
        let key = Uuid::from_u128(1);
        for (step, (change, at, expected)) in script.iter().enumerate() {
            let outcome = ledger.apply(key, change.clone(), NOW + at).await.unwrap();
            assert_eq!(&outcome, expected, "{name}, step {step}: {change:?}");
        }
    }
}

#[tokio::test]
async fn w67_a_lease_of_a_clock_that_was_ahead_does_not_hold_an_order_for_hours() {
    const AHEAD: i64 = 3 * 3600 * 1000;
    play(&[
        (claim(true), AHEAD, Outcome::Won(1)),
        (Change::Intent { attempt: 1 }, AHEAD, Outcome::Written),
        (claim(true), 1, Outcome::Won(2)),
        (Change::Finish { attempt: 1, status: 201 }, 2, Outcome::Fenced),
        (claim(true), 3, Outcome::Busy(NOW + 1 + LEASE_MS)),
        (Change::Intent { attempt: 2 }, 4, Outcome::Written),
        (Change::Finish { attempt: 2, status: 201 }, 5, Outcome::Written),
    ])
    .await;
}

#[tokio::test]
async fn an_order_is_claimed_sent_finished_and_then_settled() {
    play(&[
        (claim(true), 0, Outcome::Won(1)),
        (claim(true), 1, Outcome::Busy(NOW + LEASE_MS)),
        (Change::Intent { attempt: 1 }, 2, Outcome::Written),
        (Change::Finish { attempt: 1, status: 201 }, 3, Outcome::Written),
        (claim(true), 4, Outcome::Settled(State::Done)),
        (Change::Settle, 5, Outcome::Fenced),
    ])
    .await;
}

#[tokio::test]
async fn an_expired_claim_is_taken_over_and_the_old_holder_is_fenced() {
    play(&[
        (claim(false), 0, Outcome::Won(1)),
        (claim(false), LEASE_MS, Outcome::Won(2)),
        (Change::Intent { attempt: 1 }, LEASE_MS + 1, Outcome::Fenced),
        (Change::Intent { attempt: 2 }, LEASE_MS + 1, Outcome::Written),
        (Change::Finish { attempt: 1, status: 200 }, LEASE_MS + 2, Outcome::Fenced),
        (Change::Revert { attempt: 1 }, LEASE_MS + 2, Outcome::Fenced),
    ])
    .await;
}

#[tokio::test]
async fn a_sent_order_is_resent_only_when_the_api_is_idempotent() {
    play(&[
        (claim(true), 0, Outcome::Won(1)),
        (Change::Intent { attempt: 1 }, 0, Outcome::Written),
        (claim(true), LEASE_MS, Outcome::Won(2)),
        // The second holder dies as well, before its own intent: the order still counts as sent.
        (claim(false), 2 * LEASE_MS, Outcome::NewlyParked),
        (claim(false), 2 * LEASE_MS, Outcome::Settled(State::Parked)),
        (Change::Resend, 2 * LEASE_MS, Outcome::Won(3)),
        (Change::Resend, 2 * LEASE_MS, Outcome::Busy(NOW + 3 * LEASE_MS)),
        (claim(true), 2 * LEASE_MS, Outcome::Settled(State::Parked)),
        (Change::Finish { attempt: 3, status: 200 }, 2 * LEASE_MS, Outcome::Written),
        (claim(true), 2 * LEASE_MS, Outcome::Settled(State::Done)),
    ])
    .await;
}

#[tokio::test]
async fn revert_frees_at_once_and_yield_keeps_the_order_sent() {
    play(&[
        (claim(true), 0, Outcome::Won(1)),
        (Change::Intent { attempt: 1 }, 0, Outcome::Written),
        (Change::Revert { attempt: 1 }, 1, Outcome::Written),
        (claim(false), 2, Outcome::Won(2)),
        (Change::Intent { attempt: 2 }, 2, Outcome::Written),
        (Change::Yield { attempt: 2 }, 3, Outcome::Written),
        (claim(false), 4, Outcome::NewlyParked),
    ])
    .await;
}

#[tokio::test]
async fn revert_after_an_unknown_attempt_does_not_make_the_order_unsent() {
    play(&[
        (claim(true), 0, Outcome::Won(1)),
        (Change::Intent { attempt: 1 }, 0, Outcome::Written),
        (Change::Yield { attempt: 1 }, 0, Outcome::Written),
        (claim(true), 1, Outcome::Won(2)),
        (Change::Intent { attempt: 2 }, 1, Outcome::Written),
        (Change::Revert { attempt: 2 }, 2, Outcome::Written),
        (claim(false), 3, Outcome::NewlyParked),
    ])
    .await;
}

#[tokio::test]
async fn another_content_under_the_same_key_never_overwrites() {
    let other = Change::Claim { fingerprint: Fingerprint::of("bb"), order: String::new(), idempotent: true };
    play(&[
        (claim(true), 0, Outcome::Won(1)),
        (other, LEASE_MS, Outcome::Conflict),
        (claim(true), LEASE_MS, Outcome::Won(2)),
    ])
    .await;
}

#[tokio::test]
async fn held_orders_are_listed_oldest_first_and_can_be_settled() {
    let (_dir, ledgers) = ledgers().await;
    for (name, ledger) in ledgers {
        for (id, at) in [(7, 20), (8, 10)] {
            let change = Change::Quarantine {
                fingerprint: Fingerprint::of("aa"),
                order: "x".to_owned(),
                reason: "bad".to_owned(),
            };
            assert_eq!(ledger.apply(Uuid::from_u128(id), change, NOW + at).await.unwrap(), Outcome::Written, "{name}");
        }
        let held = ledger.held(10).await.unwrap();
        let keys: Vec<u128> = held.iter().map(|(key, _)| key.as_u128()).collect();
        assert_eq!(keys, [8, 7], "{name}");
        ledger.apply(Uuid::from_u128(8), Change::Settle, NOW + 30).await.unwrap();
        assert_eq!(ledger.held(10).await.unwrap().len(), 1, "{name}");
        assert_eq!(ledger.get(Uuid::from_u128(8)).await.unwrap().unwrap().state, State::Done, "{name}");
    }
}

#[tokio::test]
async fn records_survive_reopening_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ledger.db");
    let key = Uuid::from_u128(3);
    let ledger = SqliteLedger::open(&path).unwrap();
    ledger.apply(key, claim(true), NOW).await.unwrap();
    ledger.apply(key, Change::Intent { attempt: 1 }, NOW).await.unwrap();
    drop(ledger);
    let again = SqliteLedger::open(&path).unwrap();
    let record = again.get(key).await.unwrap().unwrap();
    assert_eq!((record.state, record.attempt, record.lease_until_ms), (State::Sent, 1, NOW + LEASE_MS));
}

/// One process runs for a retention and a little more, as somebody sets its wall clock forward and back; the next one
/// reads the file.
#[tokio::test]
async fn a_file_forgets_what_is_over_and_never_what_a_set_clock_says_is() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ledger.db");
    let retention = Retention::default();
    let (passed_ms, jumped_ms) = (Arc::new(AtomicI64::new(0)), Arc::new(AtomicI64::new(0)));
    let ms = |value: &Arc<AtomicI64>| {
        let value = Arc::clone(value);
        move || value.load(Ordering::Relaxed)
    };
    let (wall, steady) = ((ms(&passed_ms), ms(&jumped_ms)), ms(&passed_ms));
    let clock = Clock::of(
        move || jiff::Timestamp::from_millisecond(NOW + wall.0() + wall.1()).unwrap(),
        move || jiff::SignedDuration::from_millis(steady()),
    );
    let ledger = SqliteLedger::open_with(&path, clock.clone(), retention).unwrap();
    let quarantine =
        Change::Quarantine { fingerprint: Fingerprint::of("x"), order: "x".to_owned(), reason: String::new() };
    ledger.apply(Uuid::from_u128(1), claim(false), clock.now_ms()).await.unwrap();
    ledger.apply(Uuid::from_u128(2), quarantine, clock.now_ms()).await.unwrap();
    let kept = async |ledger: &SqliteLedger| {
        let (order, held) = (ledger.get(Uuid::from_u128(1)).await, ledger.get(Uuid::from_u128(2)).await);
        [order.unwrap().is_some(), held.unwrap().is_some()]
    };
    // Enough calls for a few looks at what is over.
    let look = async |ledger: &SqliteLedger| {
        for _ in 0..3 * super::sqlite::BATCHES_PER_PURGE {
            ledger.get(Uuid::nil()).await.unwrap();
        }
    };
    jumped_ms.store(2 * retention.as_millis(), Ordering::Relaxed);
    look(&ledger).await;
    assert_eq!(kept(&ledger).await, [true, true], "set forward");
    jumped_ms.store(0, Ordering::Relaxed);
    look(&ledger).await;
    passed_ms.store(retention.as_millis() + 121_000, Ordering::Relaxed);
    look(&ledger).await;
    assert_eq!(kept(&ledger).await, [false, true], "what waits for a person stays");
}
