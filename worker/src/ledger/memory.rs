//! A ledger in memory: one process, forgotten at exit. For one replica in front of an API that honours idempotency keys,
//! and for tests. It must not be used where several replicas take orders for an API that does not.

use std::collections::HashMap;
use std::future::ready;
use std::sync::{Mutex, MutexGuard, PoisonError};

use uuid::Uuid;

use super::{Answer, Change, Ledger, Outcome, Record, transition};

/// How many records trigger the next search for expired ones.
const FIRST_PURGE: usize = 100_000;

/// See the module's text.
#[derive(Debug)]
pub struct MemoryLedger {
    rows: Mutex<Rows>,
}

#[derive(Debug)]
struct Rows {
    by_key: HashMap<Uuid, Record>,
    purge_at: usize,
}

impl Default for MemoryLedger {
    fn default() -> Self {
        MemoryLedger { rows: Mutex::new(Rows { by_key: HashMap::new(), purge_at: FIRST_PURGE }) }
    }
}

impl MemoryLedger {
    /// A poisoned lock still guards whole records: each is replaced in one step.
    fn rows(&self) -> MutexGuard<'_, Rows> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Rows {
    /// Doubling the mark keeps the cost of a search constant per record.
    fn purge(&mut self, now_ms: i64) {
        if self.by_key.len() >= self.purge_at {
            self.by_key.retain(|_, record| !record.is_expired(now_ms));
            self.purge_at = (self.by_key.len() * 2).max(FIRST_PURGE);
        }
    }
}

impl Ledger for MemoryLedger {
    fn apply(&self, key: Uuid, change: Change, now_ms: i64) -> Answer<'_, Outcome> {
        let mut rows = self.rows();
        let (outcome, record) = transition(rows.by_key.get(&key), change, now_ms);
        if let Some(record) = record {
            rows.purge(now_ms);
            rows.by_key.insert(key, record);
        }
        Box::pin(ready(Ok(outcome)))
    }

    fn get(&self, key: Uuid) -> Answer<'_, Option<Record>> {
        Box::pin(ready(Ok(self.rows().by_key.get(&key).cloned())))
    }

    fn held(&self, limit: u32) -> Answer<'_, Vec<(Uuid, Record)>> {
        let rows = self.rows();
        let mut held: Vec<_> = rows
            .by_key
            .iter()
            .filter(|(_, record)| record.state.is_held())
            .map(|(key, record)| (*key, record.clone()))
            .collect();
        held.sort_by_key(|(key, record)| (record.updated_ms, *key));
        held.truncate(limit as usize);
        Box::pin(ready(Ok(held)))
    }
}
