//! One app of the loop: when it is due, how it went so far, and what there is to tell of it.

use jiff::Timestamp;
use tokio::time::Instant;

use crate::app::AppName;
use crate::desired::Desired;
use crate::lock::Lock;
use crate::plan::Plan;
use crate::reconcile::Outcome;
use crate::transition::{Look, Track, Transition};

/// When an app is due, and how it went so far.
#[derive(Debug)]
pub(super) struct Turn {
    /// What the manifest says.
    pub(super) desired: Desired,
    /// Counts the changes of the manifest.
    pub(super) edition: u64,
    /// What was told of it.
    pub(super) track: Track,
    /// When the next pass over it comes.
    pub(super) due: Instant,
    /// Passes in a row that changed nothing.
    pub(super) quiet: u32,
    /// Passes in a row that had an error.
    pub(super) failures: u32,
    /// What the log has been told of the last plan.
    pub(super) remarks: Vec<String>,
    /// Its mark on this machine.
    pub(super) _lock: Option<Lock>,
}

impl Turn {
    /// What a pass has made of the app.
    pub(super) fn tell(&mut self, app: &AppName, outcome: &Outcome, at: Timestamp) -> Vec<Transition> {
        let Outcome { status, executed: changes, ended, plan, .. } = outcome;
        let waiting = plan.as_ref().map_or(&[][..], |plan| &plan.waiting);
        let (track, told) = self.track.step(&Look { app, at, edition: self.edition, status, changes, waiting, ended });
        self.track = track;
        told
    }

    /// Tells the log, once, what a person should know of a plan.
    pub(super) fn remark(&mut self, plan: &Plan) {
        let remarks = plan.remarks();
        for remark in remarks.iter().filter(|remark| !self.remarks.contains(remark)) {
            tracing::warn!("{}: {remark}", plan.name);
        }
        self.remarks = remarks;
    }
}
