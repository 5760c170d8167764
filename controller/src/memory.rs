//! What a controller remembers between passes. It may only delay an action; losing it costs at most one idempotent call.
//!
//! A read may be older than our last write. An action that was just made and is planned again is therefore held back until the
//! read must have caught up.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::app::AppName;
use crate::desired;
use crate::observe::Cache;
use crate::plan::{Action, On, Plan, Summary, Waiting};
use crate::resource::subscription;

/// How long a read may lag behind a write.
pub const SETTLE: SignedDuration = SignedDuration::from_secs(5);
/// How long a subscription may wait for its confirmation before it is asked for again.
pub const CONFIRMATION: SignedDuration = SignedDuration::from_secs(120);

/// What a controller remembers between passes.
#[derive(Debug, Default)]
pub struct Memory {
    /// What need not be read in every pass.
    pub cache: Cache,
    /// When each action was last made or, where the wait starts with it, first seen.
    recent: BTreeMap<(AppName, String), Timestamp>,
}

impl Memory {
    /// Moves actions that would come too early from `actions` to `waiting`.
    #[must_use]
    pub fn hold(&mut self, plan: Plan, now: Timestamp) -> Plan {
        let Plan { name, actions, mut waiting, conflicts, stalled, notes } = plan;
        let mut kept = Vec::new();
        for action in actions {
            let (window, reason) = window(&action);
            let since = self.since(&name, &action, now);
            // A clock that went back must not hold anything for long.
            let age = since.map(|since| now.duration_since(since)).filter(|age| !age.is_negative());
            if age.is_none_or(|age| age >= window) {
                kept.push(action);
                continue;
            }
            let Summary { action: verb, resource, name, .. } = action.summary();
            waiting.push(Waiting { resource, name, action: verb, reason: reason.to_owned(), on: On::Aws });
        }
        Plan { name, actions: kept, waiting, conflicts, stalled, notes }
    }

    /// Remembers that an action was made, or may have been.
    pub fn made(&mut self, app: &AppName, action: &Action, now: Timestamp) {
        self.recent.insert(key(app, action), now);
    }

    /// Forgets what no longer delays anything.
    pub fn forget(&mut self, now: Timestamp) {
        self.recent.retain(|_, since| now.duration_since(*since) <= CONFIRMATION + SETTLE);
    }

    fn since(&mut self, app: &AppName, action: &Action, now: Timestamp) -> Option<Timestamp> {
        let key = key(app, action);
        if is_reminder(action) {
            return Some(*self.recent.entry(key).or_insert(now));
        }
        self.recent.get(&key).copied()
    }
}

fn is_reminder(action: &Action) -> bool {
    matches!(action, Action::Subscription(subscription::Action::Subscribe { again: true, .. }))
}

fn window(action: &Action) -> (SignedDuration, &'static str) {
    if is_reminder(action) {
        (CONFIRMATION, "the confirmation is pending")
    } else {
        (SETTLE, "was just done; AWS's answers may lag behind")
    }
}

fn key(app: &AppName, action: &Action) -> (AppName, String) {
    (app.clone(), desired::hash(&action.summary()))
}
