//! Every call made through the wire, in the order in which they were answered. Bounded: the oldest are forgotten.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use crate::call::Service;
use crate::clock::CloudTime;

/// Calls that are kept unless somebody says otherwise: more than any test makes between two looks.
const KEPT: usize = 100_000;

/// Whether an operation changes anything, by its name. The few exceptions, such as `AssumeRole`, are not implemented here.
pub fn is_mutating(operation: &str) -> bool {
    !["Describe", "List", "Get", "Filter", "BatchGet"].iter().any(|verb| operation.starts_with(verb))
}

/// One call.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Counts from 1. The request ID that the client got is this number as a UUID.
    pub sequence: u64,
    /// Cloud time of the call.
    pub at: CloudTime,
    /// The service, `None` if the request did not name one that there is.
    pub service: Option<Service>,
    /// The operation, empty if the request did not name one.
    pub operation: String,
    /// Whether it changes anything.
    pub mutating: bool,
    /// Its input with secrets taken out; null if it could not be read.
    pub input: Value,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It succeeded.
    Ok,
    /// It failed with this code.
    Error(String),
    /// A fault lost it before it had any effect.
    CallLost,
    /// It succeeded or failed, and a fault lost the reply.
    ReplyLost,
}

/// Every call made.
#[derive(Debug, Default)]
pub struct Journal(Mutex<Log>);

#[derive(Debug)]
struct Log {
    entries: VecDeque<Entry>,
    last: u64,
    kept: usize,
}

impl Default for Log {
    fn default() -> Self {
        Self { entries: VecDeque::new(), last: 0, kept: KEPT }
    }
}

impl Journal {
    /// Keeps at most `count` calls from now on. A cloud whose journal nobody reads, because it is no test's, keeps none.
    pub fn keep_at_most(&self, count: usize) {
        let mut log = self.lock();
        log.kept = count;
        let surplus = log.entries.len().saturating_sub(count);
        log.entries.drain(..surplus);
    }

    /// Enters a call under the next sequence, whatever its `sequence` says, and returns that.
    pub fn record(&self, entry: Entry) -> u64 {
        let mut log = self.lock();
        log.last += 1;
        let sequence = log.last;
        log.entries.push_back(Entry { sequence, ..entry });
        if log.entries.len() > log.kept {
            log.entries.pop_front();
        }
        sequence
    }

    /// Sequence of the last call, 0 before the first.
    pub fn last(&self) -> u64 {
        self.lock().last
    }

    /// All calls that are kept.
    pub fn calls(&self) -> Vec<Entry> {
        self.lock().entries.iter().cloned().collect()
    }

    /// The mutating calls after the one with this sequence.
    pub fn mutating_since(&self, sequence: u64) -> Vec<Entry> {
        let later = |entry: &&Entry| entry.sequence > sequence && entry.mutating;
        self.lock().entries.iter().filter(later).cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, Log> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(operation: &str) -> Entry {
        Entry {
            sequence: 0,
            at: CloudTime::default(),
            service: Some(Service::Ecs),
            operation: operation.to_owned(),
            mutating: is_mutating(operation),
            input: Value::Null,
            outcome: Outcome::Ok,
        }
    }

    #[test]
    fn keeps_the_newest_and_finds_the_mutating() {
        let journal = Journal::default();
        for _ in 0..KEPT {
            journal.record(entry("DescribeServices"));
        }
        let before = journal.last();
        journal.record(entry("UpdateService"));
        journal.record(entry("BatchGetImage"));
        assert_eq!(journal.calls().len(), KEPT);
        assert_eq!(journal.calls().first().map(|entry| entry.sequence), Some(3));
        let mutating: Vec<_> = journal.mutating_since(before).into_iter().map(|entry| entry.sequence).collect();
        assert_eq!(mutating, [before + 1]);
        assert!(journal.mutating_since(before + 1).is_empty());
    }

    #[test]
    fn numbers_go_on_where_nothing_is_kept() {
        let journal = Journal::default();
        journal.record(entry("UpdateService"));
        journal.keep_at_most(0);
        assert_eq!((journal.record(entry("UpdateService")), journal.last()), (2, 2));
        assert!(journal.calls().is_empty());
    }
}
