//! Apps that the controller has let go of, and when it takes one back: when its manifest says something else than then, or when
//! somebody has made it again after it was gone. Until then it is only looked at.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::app::{AppName, Manager};
use crate::desired::{Desired, Presence};
use crate::reconcile::Outcome;

/// The apps that were let go of.
#[derive(Debug, Default)]
pub(super) struct Released {
    apps: BTreeMap<AppName, Left>,
}

/// An app as it was when it was let go of.
#[derive(Debug)]
struct Left {
    desired: Desired,
    /// Whether it has been seen gone since.
    gone: bool,
    /// When it is looked at next.
    due: Instant,
}

impl Released {
    /// Lets go of an app, which is looked at from `due` on.
    pub(super) fn add(&mut self, desired: Desired, due: Instant) {
        self.apps.insert(desired.marks.app.clone(), Left { desired, gone: false, due });
    }

    /// Names of the apps.
    pub(super) fn names(&self) -> impl Iterator<Item = &AppName> {
        self.apps.keys()
    }

    /// Takes back every app of which the manifest now says something else, and forgets those that no manifest declares: whoever
    /// declares one again wants it. Says which were taken back.
    pub(super) fn follow(&mut self, wanted: &BTreeMap<AppName, Desired>) -> Vec<AppName> {
        let changed = |app: &AppName, left: &Left| wanted.get(app).is_some_and(|one| *one != left.desired);
        let back = self.apps.iter().filter(|(app, left)| changed(app, left)).map(|(app, _)| app.clone()).collect();
        self.apps.retain(|app, left| wanted.contains_key(app) && !changed(app, left));
        back
    }

    /// The apps that are due to be looked at.
    pub(super) fn due(&self, now: Instant, manager: &Manager) -> Vec<Desired> {
        let due = self.apps.iter().filter(|(_, left)| left.due <= now);
        due.map(|(app, _)| Desired::by_marks(app.clone(), manager, Presence::Undeclared)).collect()
    }

    /// When the next one is due.
    pub(super) fn next(&self) -> Option<Instant> {
        self.apps.values().map(|left| left.due).min()
    }

    /// Notes how the apps were found, and takes back those that somebody has made again. Says which.
    pub(super) fn see(
        &mut self,
        outcomes: &BTreeMap<AppName, Outcome>,
        now: Instant,
        interval: Duration,
    ) -> Vec<AppName> {
        let mut back = Vec::new();
        for (app, outcome) in outcomes {
            let Some(left) = self.apps.get_mut(app) else { continue };
            left.due = now + interval;
            // Of an app that could not be read, or that is somebody else's now, nothing follows.
            let Some(plan) = outcome.plan.as_ref().filter(|plan| plan.conflicts.is_empty()) else { continue };
            if outcome.status.service.is_none() {
                left.gone = true;
            } else if left.gone {
                back.push(plan.name.clone());
            }
        }
        self.apps.retain(|app, _| !back.contains(app));
        back
    }
}
