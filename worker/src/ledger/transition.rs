//! What a change does to a record: the whole of exactly-once in one pure function.

use super::{Change, Fingerprint, LEASE_MS, Outcome, Record, State};

/// Returns the answer and, if something changed, the record to store. The order of the arms is the order of an order's life.
pub fn transition(record: Option<&Record>, change: Change, now_ms: i64) -> (Outcome, Option<Record>) {
    match (change, record) {
        (Change::Claim { fingerprint, order, .. }, None) => (Outcome::Won(1), Some(first(fingerprint, order, now_ms))),
        (Change::Claim { fingerprint, idempotent, .. }, Some(known)) => claim(known, fingerprint, idempotent, now_ms),
        (Change::Quarantine { fingerprint, order, reason }, None) => {
            let record =
                Record { state: State::Quarantined, reason, lease_until_ms: 0, ..first(fingerprint, order, now_ms) };
            (Outcome::Written, Some(record))
        }
        (Change::Quarantine { .. }, Some(known)) => (Outcome::Settled(known.state), None),
        (_, None) => (Outcome::Fenced, None),
        (Change::Intent { attempt }, Some(known)) if known.attempt == attempt && is_open(known) => {
            written(Record { state: State::Sent, ..known.clone() }, now_ms)
        }
        (Change::Revert { attempt }, Some(known)) if known.attempt == attempt && is_open(known) => {
            let state = if known.uncertain { State::Sent } else { State::Claimed };
            written(Record { state, lease_until_ms: 0, ..known.clone() }, now_ms)
        }
        (Change::Yield { attempt }, Some(known)) if known.attempt == attempt && was_sent(known) => {
            written(Record { uncertain: true, lease_until_ms: 0, ..known.clone() }, now_ms)
        }
        (Change::Finish { attempt, status }, Some(known)) if known.attempt == attempt && was_sent(known) => {
            written(finished(known, status), now_ms)
        }
        (Change::Resend, Some(known)) if known.state.is_held() && is_leased(known, now_ms) => {
            (Outcome::Busy(known.lease_until_ms), None)
        }
        (Change::Resend, Some(known)) if known.state.is_held() => won(known, known.state, now_ms),
        (Change::Settle, Some(known)) if known.state.is_held() => {
            written(Record { state: State::Done, reason: "settled by a person".to_owned(), ..known.clone() }, now_ms)
        }
        (_, Some(_)) => (Outcome::Fenced, None),
    }
}

fn claim(known: &Record, fingerprint: Fingerprint, idempotent: bool, now_ms: i64) -> (Outcome, Option<Record>) {
    if known.fingerprint != fingerprint {
        return (Outcome::Conflict, None);
    }
    match known.state {
        State::Done | State::Rejected | State::Parked | State::Quarantined => (Outcome::Settled(known.state), None),
        State::Claimed | State::Sent if is_leased(known, now_ms) => (Outcome::Busy(known.lease_until_ms), None),
        State::Claimed => won(known, State::Claimed, now_ms),
        State::Sent if idempotent => won(known, State::Sent, now_ms),
        State::Sent => {
            let reason = "the result of the call is unknown and the API does not honour idempotency keys";
            let parked =
                Record { state: State::Parked, reason: reason.to_owned(), updated_ms: now_ms, ..known.clone() };
            (Outcome::NewlyParked, Some(parked))
        }
    }
}

/// Whether a worker may still be at it. A lease that ends later than one that begins now was written by a clock that is ahead of ours
/// by as much: whoever wrote it may be gone for long, and an order that waited for that clock would be lost to SNS. If the writer is
/// still at it, its attempt is fenced off.
fn is_leased(known: &Record, now_ms: i64) -> bool {
    (1..=LEASE_MS).contains(&known.lease_until_ms.saturating_sub(now_ms))
}

fn first(fingerprint: Fingerprint, order: String, now_ms: i64) -> Record {
    Record {
        state: State::Claimed,
        attempt: 1,
        uncertain: false,
        lease_until_ms: now_ms.saturating_add(LEASE_MS),
        fingerprint,
        order,
        status: None,
        reason: String::new(),
        updated_ms: now_ms,
    }
}

/// A sent or held order keeps its state while it is claimed again: if this worker dies too, nobody may believe that it was
/// never sent, and a person still finds it.
fn won(known: &Record, state: State, now_ms: i64) -> (Outcome, Option<Record>) {
    let attempt = known.attempt.saturating_add(1);
    let lease_until_ms = now_ms.saturating_add(LEASE_MS);
    let uncertain = known.uncertain || known.state == State::Sent;
    let record = Record { state, attempt, lease_until_ms, uncertain, updated_ms: now_ms, ..known.clone() };
    (Outcome::Won(attempt), Some(record))
}

fn finished(known: &Record, status: u16) -> Record {
    let accepted = (200..300).contains(&status);
    let state = if accepted { State::Done } else { State::Rejected };
    let reason = if accepted { String::new() } else { format!("the fulfilment API answered {status}") };
    Record { state, status: Some(status), reason, lease_until_ms: 0, ..known.clone() }
}

fn written(record: Record, now_ms: i64) -> (Outcome, Option<Record>) {
    (Outcome::Written, Some(Record { updated_ms: now_ms, ..record }))
}

fn is_open(known: &Record) -> bool {
    matches!(known.state, State::Claimed | State::Sent)
}

/// A held order that a person resends needs no intent: it never was taken for unsent.
fn was_sent(known: &Record) -> bool {
    known.state == State::Sent || known.state.is_held()
}
