//! Manifests that change: a watched file or directory.
//!
//! A change counts when the path has been quiet for a moment and two reads are equal, so that a file is never taken half
//! written. Content is compared, not time stamps. Notifications only make it fast: the path is also polled, so one
//! that gets lost costs seconds, not correctness. What to do about a bad or missing file is [`Accepted`]'s, in one place.

mod accepted;
mod watch;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::manifest::Manifest;
use crate::manifest::diagnostic::Diagnostic;

pub use accepted::{Accepted, Changes};

/// The documents of one file, or its problems.
pub type FileState = Result<Vec<Manifest>, Vec<Diagnostic>>;

/// The state of every file at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceEvent {
    /// By file. A problem with the whole path stands under the path itself.
    pub manifests: BTreeMap<PathBuf, FileState>,
}

/// When a change counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// No notification for this long.
    pub quiet: Duration,
    /// Two equal reads this far apart.
    pub between_reads: Duration,
    /// Look even without notification.
    pub poll: Duration,
    /// Look even if notifications never stop.
    pub most: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            quiet: Duration::from_millis(75),
            between_reads: Duration::from_millis(50),
            poll: Duration::from_secs(3),
            most: Duration::from_secs(2),
        }
    }
}

/// A watched path. Dropping it ends the watch.
#[derive(Debug)]
#[must_use = "dropping the source ends the watch"]
pub struct Source {
    events: mpsc::Receiver<SourceEvent>,
    task: JoinHandle<()>,
}

impl Source {
    /// Watches a file, or the manifests of a directory. The path need not exist: that is reported as its state.
    /// Must be called in a tokio runtime.
    pub fn watch(path: &Path, timing: Timing) -> Self {
        let (sender, events) = mpsc::channel(1);
        let task = tokio::spawn(watch::run(path.to_owned(), timing, sender));
        Self { events, task }
    }

    /// The state at the start, then every state that differs from the one before. Cancel safe; `None` only if the watch
    /// has died.
    pub async fn next(&mut self) -> Option<SourceEvent> {
        self.events.recv().await
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[cfg(test)]
mod tests;
