//! A ledger in memory: one process, forgotten at exit. For one replica in front of an API that honours idempotency keys,
//! and for tests. It must not be used where several replicas take orders for an API that does not.
//!
//! Its size is bounded. An order that is done is sixty bytes in a tree; its text is there only while somebody may need it: while the
//! order is worked on, or waits for a person. Times are of the steady clock, so that a wall clock that is set changes nothing.

mod rows;

use std::future::ready;
use std::sync::{Mutex, MutexGuard, PoisonError};

use uuid::Uuid;

use super::{Answer, Change, Ledger, Outcome, Record, Retention, Usage};
use crate::clock::{Clock, Reading};
use rows::{Moment, Rows};

/// Room for half a million orders that are done: 64 a second at the default retention.
pub const DEFAULT_LIMIT: usize = 48 << 20;

/// See the module's text.
#[derive(Debug)]
pub struct MemoryLedger {
    clock: Clock,
    /// Times are counted from here.
    began: Reading,
    rows: Mutex<Rows>,
}

impl Default for MemoryLedger {
    /// With the defaults of the configuration.
    fn default() -> Self {
        MemoryLedger::new(Clock::system(), Retention::default(), DEFAULT_LIMIT)
    }
}

impl MemoryLedger {
    /// An empty one that keeps records for `retention` and takes at most `limit` bytes. When it is full, it takes no new order.
    pub fn new(clock: Clock, retention: Retention, limit: usize) -> Self {
        let began = clock.reading();
        MemoryLedger { clock, began, rows: Mutex::new(Rows::new(retention, limit)) }
    }

    /// A poisoned lock still guards whole records: each is replaced in one step.
    fn rows(&self) -> MutexGuard<'_, Rows> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn moment(&self, now_ms: i64) -> Moment {
        let passed = self.clock.reading().steady - self.began.steady;
        Moment { steady_s: u32::try_from(passed.as_secs()).unwrap_or(u32::MAX), wall_ms: now_ms }
    }
}

impl Ledger for MemoryLedger {
    fn apply(&self, key: Uuid, change: Change, now_ms: i64) -> Answer<'_, Outcome> {
        let now = self.moment(now_ms);
        Box::pin(ready(self.rows().apply(key, change, now)))
    }

    fn get(&self, key: Uuid) -> Answer<'_, Option<Record>> {
        Box::pin(ready(Ok(self.rows().get(key))))
    }

    fn held(&self, limit: u32) -> Answer<'_, Vec<(Uuid, Record)>> {
        Box::pin(ready(Ok(self.rows().held(limit))))
    }

    fn usage(&self) -> Option<Usage> {
        Some(self.rows().usage())
    }
}

#[cfg(test)]
mod tests;
