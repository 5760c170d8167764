//! The memory ledger's rows, with their sizes. Pure: the time comes in as an argument.

use std::collections::BTreeMap;
use std::ops::Bound;

use uuid::Uuid;

use super::super::{Change, Fingerprint, LedgerError, Outcome, Record, Retention, State, Usage, transition};

/// Bytes of an order that is done: 56 in a tree whose nodes are at least half full, as the allocator rounds them.
const DONE_BYTES: usize = 104;
/// Bytes of any other order besides its texts, reckoned in the same way.
const OPEN_BYTES: usize = 360;
/// Orders of each kind that are looked at for each new one. At eight, what is over is gone before an eighth more has come.
const LOOKED_AT: usize = 8;

/// A moment by both clocks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    /// Seconds since the ledger began.
    pub steady_s: u32,
    /// Milliseconds since the Unix epoch.
    pub wall_ms: i64,
}

/// See the module's text.
#[derive(Debug)]
pub(super) struct Rows {
    keep_s: u64,
    limit: usize,
    done: Sieve<Done>,
    open: Sieve<Open>,
    /// Bytes of the orders in `open`.
    open_bytes: usize,
    /// Of those, bytes of the ones that wait for a person.
    held_bytes: usize,
    /// When all rows were last looked at.
    swept_s: Option<u32>,
}

/// An order that needs no more work.
#[derive(Debug)]
struct Done {
    fingerprint: Fingerprint,
    written_s: u32,
    /// Seconds since the Unix epoch by the wall clock.
    updated_s: u32,
}

/// An order that is worked on or waits for a person.
#[derive(Debug)]
struct Open {
    record: Record,
    written_s: u32,
}

impl Rows {
    pub(super) fn new(retention: Retention, limit: usize) -> Self {
        let (done, open) = (Sieve::default(), Sieve::default());
        Rows { keep_s: retention.as_secs(), limit, done, open, open_bytes: 0, held_bytes: 0, swept_s: None }
    }

    pub(super) fn apply(&mut self, key: Uuid, change: Change, now: Moment) -> Result<Outcome, LedgerError> {
        let done = self.done.rows.get(&key).map(Done::record);
        let known = done.as_ref().or_else(|| self.open.rows.get(&key).map(|open| &open.record));
        let is_new = known.is_none();
        let (outcome, next) = transition(known, change, now.wall_ms);
        if let Some(record) = next {
            if is_new {
                self.look(LOOKED_AT, now);
                self.make_room(&record, now)?;
            }
            self.put(key, record, now);
        }
        Ok(outcome)
    }

    pub(super) fn get(&self, key: Uuid) -> Option<Record> {
        let open = self.open.rows.get(&key).map(|open| open.record.clone());
        open.or_else(|| self.done.rows.get(&key).map(Done::record))
    }

    pub(super) fn held(&self, limit: u32) -> Vec<(Uuid, Record)> {
        let held = self.open.rows.iter().filter(|(_, open)| open.record.state.is_held());
        let mut held: Vec<_> = held.map(|(key, open)| (*key, open.record.clone())).collect();
        held.sort_by_key(|(key, record)| (record.updated_ms, *key));
        held.truncate(limit as usize);
        held
    }

    pub(super) fn usage(&self) -> Usage {
        let used = self.done.rows.len().saturating_mul(DONE_BYTES).saturating_add(self.open_bytes);
        Usage { used, held: self.held_bytes, limit: self.limit }
    }

    fn put(&mut self, key: Uuid, record: Record, now: Moment) {
        if let Some(before) = self.open.rows.remove(&key) {
            self.uncount(&before.record);
        }
        let written_s = now.steady_s;
        if record.state == State::Done {
            let updated_s = u32::try_from(record.updated_ms / 1000).unwrap_or_default();
            self.done.rows.insert(key, Done { fingerprint: record.fingerprint, written_s, updated_s });
        } else {
            self.open_bytes += size(&record);
            self.held_bytes += if record.state.is_held() { size(&record) } else { 0 };
            self.open.rows.insert(key, Open { record, written_s });
        }
    }

    fn uncount(&mut self, record: &Record) {
        self.open_bytes -= size(record);
        self.held_bytes -= if record.state.is_held() { size(record) } else { 0 };
    }

    /// Fails if there is no room for a new record. What cannot be processed may take half of it, so that orders go on when somebody
    /// publishes nothing else.
    fn make_room(&mut self, record: &Record, now: Moment) -> Result<(), LedgerError> {
        if !self.has_room(record) && self.swept_s != Some(now.steady_s) {
            self.look(usize::MAX, now);
            self.swept_s = Some(now.steady_s);
        }
        if self.has_room(record) { Ok(()) } else { Err(LedgerError::Full(self.usage())) }
    }

    fn has_room(&self, record: &Record) -> bool {
        let Usage { used, held, limit } = self.usage();
        let fits = |taken: usize, room: usize| taken.saturating_add(size(record)) <= room;
        fits(used, limit) && (!record.state.is_held() || fits(held, limit / 2))
    }

    /// Forgets, among the next `count` orders of each kind, those that no duplicate can come of any more.
    fn look(&mut self, count: usize, now: Moment) {
        let is_over = |written_s: u32| u64::from(now.steady_s.saturating_sub(written_s)) > self.keep_s;
        self.done.sift(count, |done| is_over(done.written_s));
        let gone = self.open.sift(count, |open| !open.record.state.is_held() && is_over(open.written_s));
        for open in gone {
            self.uncount(&open.record);
        }
    }
}

impl Done {
    /// As much of the record as is still known.
    fn record(&self) -> Record {
        Record {
            state: State::Done,
            attempt: 0,
            uncertain: false,
            lease_until_ms: 0,
            fingerprint: self.fingerprint,
            order: String::new(),
            status: None,
            reason: String::new(),
            updated_ms: i64::from(self.updated_s) * 1000,
        }
    }
}

fn size(record: &Record) -> usize {
    OPEN_BYTES + record.order.len() + record.reason.len()
}

/// Rows that are looked through little by little, from where the last look ended.
#[derive(Debug)]
struct Sieve<T> {
    rows: BTreeMap<Uuid, T>,
    /// The last one that was looked at.
    last: Uuid,
}

impl<T> Default for Sieve<T> {
    fn default() -> Self {
        Sieve { rows: BTreeMap::new(), last: Uuid::nil() }
    }
}

impl<T> Sieve<T> {
    /// Takes out those of the next `count` rows that are over; after the last row comes the first.
    fn sift(&mut self, count: usize, is_over: impl Fn(&T) -> bool) -> Vec<T> {
        let from = if count >= self.rows.len() { Bound::Unbounded } else { Bound::Excluded(self.last) };
        let (mut seen, mut over) = (0, Vec::new());
        for (key, row) in self.rows.range((from, Bound::Unbounded)).take(count) {
            (self.last, seen) = (*key, seen + 1);
            if is_over(row) {
                over.push(*key);
            }
        }
        if seen < count {
            self.last = Uuid::nil();
        }
        over.into_iter().filter_map(|key| self.rows.remove(&key)).collect()
    }
}
