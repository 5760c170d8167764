//! What a controller remembers between passes. It may only delay an action; losing it costs at most one idempotent call.
//!
//! A read may be older than our last write. An action that was just made and is planned again is therefore held back until the
//! read must have caught up. One whose effect AWS does not keep is held back longer and longer: see [`crate::echo`].

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::app::AppName;
use crate::desired;
use crate::echo::Sent;
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
    /// What was sent and has not been seen to be kept.
    sent: Sent,
}

impl Memory {
    /// Moves actions that would come too early from `actions` to `waiting`.
    #[must_use]
    pub fn hold(&mut self, plan: Plan, now: Timestamp) -> Plan {
        self.sent.see(&plan);
        let Plan { name, actions, mut waiting, conflicts, stalled, notes } = plan;
        let mut kept = Vec::new();
        for action in actions {
            let summary = action.summary();
            match self.too_early(&name, &action, now).or_else(|| self.echo(&name, &action, &summary, now)) {
                None => kept.push(action),
                Some((on, reason)) => {
                    let Summary { action: verb, resource, name, .. } = summary;
                    waiting.push(Waiting { resource, name, action: verb, reason, on });
                }
            }
        }
        Plan { name, actions: kept, waiting, conflicts, stalled, notes }
    }

    /// Why an action has to wait because it was just made.
    fn too_early(&mut self, app: &AppName, action: &Action, now: Timestamp) -> Option<(On, String)> {
        let (window, reason) = window(action);
        let since = self.since(app, action, now)?;
        let age = now.duration_since(since);
        // A clock that went back must not hold anything for long.
        (!age.is_negative() && age < window).then(|| (On::Aws, reason.to_owned()))
    }

    /// Why an action has to wait because AWS does not keep what it sends.
    fn echo(&self, app: &AppName, action: &Action, summary: &Summary, now: Timestamp) -> Option<(On, String)> {
        let echo = self.sent.judge(app, summary, now).filter(|_| !is_reminder(action))?;
        let on = if echo.is_certain { On::Person } else { On::Aws };
        Some((on, echo.explain()))
    }

    /// Remembers that an action was made, or may have been.
    pub fn made(&mut self, app: &AppName, action: &Action, now: Timestamp) {
        self.recent.insert(key(app, action), now);
    }

    /// Remembers that AWS accepted an action.
    pub fn accepted(&mut self, app: &AppName, action: &Action, now: Timestamp) {
        self.made(app, action, now);
        if !is_reminder(action) {
            self.sent.note(app, &action.summary(), now);
        }
    }

    /// Forgets what no longer delays anything.
    pub fn forget(&mut self, now: Timestamp) {
        self.recent.retain(|_, since| now.duration_since(*since) <= CONFIRMATION + SETTLE);
        self.sent.forget(now);
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
