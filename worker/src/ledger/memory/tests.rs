//! Time is stepped; the process whose memory is measured is one of its own.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::time::Duration;

use proptest::prelude::*;

use super::rows::{Moment, Rows};
use super::*;
use crate::ledger::{Fingerprint, LEASE_MS, LedgerError, State};

const START_MS: i64 = 1_700_000_000_000;

fn at(steady_s: u32) -> Moment {
    Moment { steady_s, wall_ms: START_MS + i64::from(steady_s) * 1000 }
}

/// Keys are spread as those of messages are.
fn key(number: u32) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, &number.to_be_bytes())
}

fn claim() -> Change {
    Change::Claim { fingerprint: Fingerprint::of("1"), order: "{\"bundle\":1}".to_owned(), idempotent: false }
}

fn quarantine() -> Change {
    Change::Quarantine { fingerprint: Fingerprint::of("x"), order: "x".repeat(40), reason: "no order".to_owned() }
}

/// Delivers an order as far as it goes. Says whether it took effect.
fn deliver(rows: &mut Rows, key: Uuid, now: Moment) -> Result<bool, LedgerError> {
    let Outcome::Won(attempt) = rows.apply(key, claim(), now)? else { return Ok(false) };
    rows.apply(key, Change::Intent { attempt }, now)?;
    rows.apply(key, Change::Finish { attempt, status: 200 }, now)?;
    Ok(true)
}

proptest! {
    /// Orders come, come again, are left unfinished or wait for a person, in a ledger that is full now and then. What was written stays
    /// for the whole retention, what waits for a person stays for ever, and the size is bounded.
    #[test]
    fn law_nothing_is_evicted_within_the_horizon(
        steps in prop::collection::vec((0..400_u32, 0..40_u32, 0..6_u8), 1..400),
        limit in 1000..6000_usize,
    ) {
        let retention = Retention::of_messages(Duration::from_secs(60));
        let keep_s = u32::try_from(retention.as_secs()).unwrap();
        let mut rows = Rows::new(retention, limit);
        let (mut written, mut effects, mut held) = (BTreeMap::new(), BTreeMap::new(), BTreeSet::new());
        let mut now_s = 0;
        for (passed_s, number, what) in steps {
            now_s += passed_s;
            let (key, now) = (key(number), at(now_s));
            let known = rows.get(key).is_some();
            let done = match what {
                0 => rows.apply(key, quarantine(), now).map(|_| false),
                1 => rows.apply(key, claim(), now).map(|_| false),
                _ => deliver(&mut rows, key, now),
            };
            match done {
                Ok(took_effect) => {
                    let before = if took_effect { effects.insert(key, now_s) } else { None };
                    prop_assert!(before.is_none_or(|at_s| now_s - at_s > keep_s), "two effects within the horizon");
                    if took_effect || what == 1 && rows.get(key).is_some_and(|row| row.updated_ms == now.wall_ms) {
                        written.insert(key, now_s);
                    }
                    if rows.get(key).is_some_and(|row| row.state.is_held()) {
                        held.insert(key);
                    }
                }
                Err(LedgerError::Full(_)) => prop_assert!(!known, "a known order was refused"),
                Err(error) => prop_assert!(false, "{error}"),
            }
            for (key, at_s) in &written {
                prop_assert!(now_s - at_s > keep_s || rows.get(*key).is_some(), "evicted after {} s", now_s - at_s);
            }
            prop_assert!(held.iter().all(|key| rows.get(*key).is_some()));
            prop_assert!(rows.usage().used <= limit);
        }
    }
}

#[test]
fn an_order_keeps_its_text_only_while_somebody_may_need_it() {
    let mut rows = Rows::new(Retention::default(), 4000);
    rows.apply(key(1), claim(), at(0)).unwrap();
    let open = rows.usage().used;
    assert_eq!(rows.get(key(1)).unwrap().order, "{\"bundle\":1}");
    rows.apply(key(1), Change::Intent { attempt: 1 }, at(0)).unwrap();
    rows.apply(key(1), Change::Finish { attempt: 1, status: 422 }, at(0)).unwrap();
    assert_eq!(rows.get(key(1)).unwrap().order, "{\"bundle\":1}", "a person may resend it");
    rows.apply(key(1), Change::Settle, at(0)).unwrap();
    let done = rows.get(key(1)).unwrap();
    assert_eq!((done.state, done.order.as_str(), done.updated_ms), (State::Done, "", START_MS));
    assert!(rows.usage().used * 3 < open && rows.usage().held == 0);
}

/// Nothing but what cannot be processed is published; then there are orders again.
#[test]
fn what_waits_for_a_person_leaves_room_for_orders_and_does_not_fill_it_silently() {
    let mut rows = Rows::new(Retention::default(), 20_000);
    let mut refused = 0;
    for number in 0..1000 {
        match rows.apply(key(number), quarantine(), at(number)) {
            Ok(_) if rows.usage().held > 5_000 => assert!(rows.usage().is_crowded()),
            Ok(_) => {}
            Err(error) => {
                assert!(error.to_string().contains("INTERSTELLA_LEDGER_MAX_MIB"), "{error}");
                refused += 1;
            }
        }
    }
    assert!(refused > 900 && rows.usage().held <= 10_000 && rows.held(u32::MAX).len() > 20);
    let far = at(u32::MAX / 2);
    assert!(deliver(&mut rows, key(5000), far).unwrap());
    assert!(matches!(rows.apply(key(5001), quarantine(), far), Err(LedgerError::Full(_))), "a person has to look");
}

/// An order whose worker died is over as well, when nobody asks for it any more.
#[test]
fn claims_that_nobody_finished_do_not_stay() {
    let mut rows = Rows::new(Retention::default(), 4000);
    let keep_s = u32::try_from(Retention::default().as_secs()).unwrap();
    for number in 0..10_000 {
        rows.apply(key(number), claim(), at(number * keep_s / 5)).unwrap();
    }
    assert!(rows.usage().used < 4000);
    assert!(i64::from(keep_s) * 1000 > LEASE_MS);
}

/// The part of [`a_week_passes_within_64_mib`] that is measured.
#[test]
#[ignore = "measured in a process of its own by another test"]
fn a_week_of_orders() {
    const WEEK_S: u32 = 7 * 86_400;
    let mut rows = Rows::new(Retention::default(), DEFAULT_LIMIT);
    let (mut effects, mut published) = (0, 0);
    for second in 0..WEEK_S {
        published += 1;
        effects += u32::from(deliver(&mut rows, key(second), at(second)).unwrap());
        // A duplicate of an order of the last two hours.
        let back = second.wrapping_mul(2_654_435_761) % 7200;
        assert!(!deliver(&mut rows, key(second.saturating_sub(back)), at(second)).unwrap());
    }
    assert_eq!(effects, published, "no duplicate took effect");
    // A thousand a second until it is full, and as long again.
    let burst = |number| key(WEEK_S + number);
    let taken =
        (0..).take_while(|number| deliver(&mut rows, burst(*number), at(WEEK_S + number / 1000)).is_ok()).count();
    let taken = u32::try_from(taken).unwrap();
    assert!(taken > 450_000, "{taken}");
    let full = at(WEEK_S + taken / 1000);
    for number in 0..taken {
        assert!(!deliver(&mut rows, burst(number), full).unwrap());
        let refused = deliver(&mut rows, burst(taken + 1 + number), full);
        assert!(matches!(refused, Err(LedgerError::Full(_))));
    }
    let later = WEEK_S + 10_000;
    assert!(deliver(&mut rows, burst(taken), at(later)).unwrap(), "there is room again");
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    println!("{}", status.lines().find(|line| line.starts_with("VmHWM:")).unwrap_or_default());
}

#[cfg(target_os = "linux")]
#[test]
fn a_week_passes_within_64_mib() {
    let name = "ledger::memory::tests::a_week_of_orders";
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--ignored", "--nocapture", "--test-threads", "1"])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&child.stdout).into_owned();
    assert!(child.status.success(), "{text}{}", String::from_utf8_lossy(&child.stderr));
    let peak = text.split_once("VmHWM:").expect(&text).1.split_whitespace().next().unwrap();
    let peak_kib: u32 = peak.parse().unwrap();
    assert!(peak_kib < 64 << 10, "{} MiB at the most", peak_kib >> 10);
}
