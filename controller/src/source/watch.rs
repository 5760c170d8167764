//! The task behind [`super::Source`]: wait, settle, read twice, compare, load, send.

use std::path::{Path, PathBuf};

use notify::event::{AccessKind, AccessMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};

use super::{SourceEvent, Timing};
use crate::manifest::load::{self, Snapshot};

/// Runs until the receiver is gone.
pub(super) async fn run(path: PathBuf, timing: Timing, events: mpsc::Sender<SourceEvent>) {
    let (wake, mut woken) = mpsc::channel(1);
    let mut watcher = notifier(&path, wake);
    let mut last: Option<Snapshot> = None;
    loop {
        // Directories may have been exchanged since the last look; watching one twice is harmless.
        if let Some(watcher) = &mut watcher {
            arm(watcher, &path);
        }
        let Some(snapshot) = stable_read(&path, timing).await else { return };
        if last.as_ref() != Some(&snapshot) {
            let manifests = load::manifests(load::load_snapshot(&snapshot));
            if events.send(SourceEvent { manifests }).await.is_err() {
                return;
            }
            last = Some(snapshot);
        }
        tokio::select! {
            () = events.closed() => return,
            // An error means that nobody notifies any more: then only the poll is left.
            _ = timeout(timing.poll, notified(&mut woken)) => settle(&mut woken, timing).await,
        }
    }
}

/// Waits for a notification; for ever if there can be none.
async fn notified(woken: &mut mpsc::Receiver<()>) {
    if woken.recv().await.is_none() {
        std::future::pending::<()>().await;
    }
}

/// Waits until there has been no notification for `timing.quiet`, but no longer than `timing.most`.
async fn settle(woken: &mut mpsc::Receiver<()>, timing: Timing) {
    let end = Instant::now() + timing.most;
    loop {
        tokio::select! {
            () = sleep_until(end) => return,
            woken = timeout(timing.quiet, notified(woken)) => {
                if woken.is_err() {
                    return;
                }
            }
        }
    }
}

/// Reads until two reads in a row are equal. `None` if the runtime shuts down.
async fn stable_read(path: &Path, timing: Timing) -> Option<Snapshot> {
    let mut before = read(path).await?;
    loop {
        #[expect(clippy::disallowed_methods, reason = "the pause between two reads is what makes them two")]
        tokio::time::sleep(timing.between_reads).await;
        let now = read(path).await?;
        if now == before {
            return Some(now);
        }
        before = now;
    }
}

async fn read(path: &Path) -> Option<Snapshot> {
    let path = path.to_owned();
    tokio::task::spawn_blocking(move || load::read(&path)).await.ok()
}

/// `None` if the system has no notifications to give; polling goes on.
fn notifier(path: &Path, wake: mpsc::Sender<()>) -> Option<RecommendedWatcher> {
    let root = path.to_owned();
    let handler = move |event: notify::Result<Event>| {
        if event.is_ok_and(|event| concerns(&event, &root)) {
            // A full channel means that a look is due anyway.
            let _ = wake.try_send(());
        }
    };
    match notify::recommended_watcher(handler) {
        Ok(watcher) => Some(watcher),
        Err(error) => {
            tracing::warn!(%error, path = %path.display(), "no file notifications; changes are seen by polling");
            None
        }
    }
}

/// Watches the directories in which a change of `path` shows: the one it stands in, because editors and ConfigMaps replace
/// files by renaming; the directory itself; and the ones that links lead to.
fn arm(watcher: &mut RecommendedWatcher, path: &Path) {
    let real = std::fs::canonicalize(path).ok();
    for place in [Some(path), real.as_deref()].into_iter().flatten() {
        let parent = place.parent().map(|parent| if parent.as_os_str().is_empty() { Path::new(".") } else { parent });
        let directory = place.is_dir().then_some(place);
        for directory in [parent, directory].into_iter().flatten() {
            if let Err(error) = watcher.watch(directory, RecursiveMode::NonRecursive) {
                tracing::debug!(%error, directory = %directory.display(), "not watched; changes are seen by polling");
            }
        }
    }
}

/// Whether an event may change what `root` holds. Our own reads must not count, nor must the neighbours of a file.
fn concerns(event: &Event, root: &Path) -> bool {
    if matches!(event.kind, EventKind::Access(kind) if kind != AccessKind::Close(AccessMode::Write)) {
        return false;
    }
    event.paths.is_empty()
        || event.paths.iter().any(|path| {
            let exchanged = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(".."));
            exchanged || path.file_name() == root.file_name() || load::is_manifest_name(path)
        })
}
