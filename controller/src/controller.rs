//! The loop: wakes for a changed source, a timer, or because the last pass changed something, and makes passes over what is due.
//!
//! The only place that waits. It holds no desired state but the source's last good one; an app that leaves the source is no longer
//! managed, which is not an order to delete it.

mod released;
mod turn;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use self::released::Released;
use self::turn::Turn;
use crate::app::{AppName, Manager};
use crate::aws::{Aws, Identity};
use crate::desired::Desired;
use crate::lock::{self, Holder, Lock, Taken};
use crate::manifest::Manifest;
use crate::memory::Memory;
use crate::metrics::Metrics;
use crate::reconcile::{self, Outcome};
use crate::requeue;
use crate::status::AppStatus;
use crate::transition::{self, Declared, Kind, Record, Track, Transition};

/// How long a call that runs may take to end when the controller is told to stop.
const GRACE: Duration = Duration::from_secs(5);

/// What the source holds: the last good manifests, and what is wrong with what is there now.
#[derive(Debug, Clone, Default)]
pub struct Input {
    /// The last good manifests.
    pub manifests: Vec<Manifest>,
    /// Problems with the present content, for people.
    pub problems: Vec<String>,
}

/// How apps are marked as managed on this machine.
#[derive(Debug, Clone)]
pub struct Locking {
    /// Directory of the marks.
    pub directory: PathBuf,
    /// Who we are.
    pub holder: Holder,
}

/// What the controller shows to others while it runs.
#[derive(Debug, Default)]
pub struct Shared {
    inner: Mutex<Snapshot>,
    /// What it counts.
    pub metrics: Metrics,
    /// What becomes of the apps.
    pub transitions: Record,
    wake: Notify,
    gone: Notify,
    stop: AtomicBool,
}

#[derive(Debug, Default)]
struct Snapshot {
    apps: BTreeMap<AppName, AppStatus>,
    problems: Vec<String>,
    /// Apps that the loop is asked to let go of.
    to_release: BTreeSet<AppName>,
    released: Vec<AppName>,
    /// Passes so far.
    passes: u64,
    /// When the loop last went round.
    beat: Option<Instant>,
    interval: Duration,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Snapshot> {
        // A snapshot is whole after every statement, so a panic elsewhere does not spoil it.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How the apps are, in order of their names.
    #[must_use]
    pub fn apps(&self) -> Vec<AppStatus> {
        self.lock().apps.values().cloned().collect()
    }

    /// How the apps are that `text` (a name, or cluster and name) means.
    #[must_use]
    pub fn find(&self, text: &str) -> Vec<AppStatus> {
        let snapshot = self.lock();
        snapshot.apps.iter().filter(|(name, _)| name.is_meant_by(text)).map(|(_, status)| status.clone()).collect()
    }

    /// What is wrong with the source.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        self.lock().problems.clone()
    }

    /// Whether a first pass has been made, so that what is shown means something.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.lock().passes > 0
    }

    /// Whether the loop goes round.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        let snapshot = self.lock();
        let most = snapshot.interval.saturating_mul(3).max(Duration::from_secs(120));
        snapshot.beat.is_none_or(|beat| beat.elapsed() < most)
    }

    /// The apps that the controller has let go of, in order of their names.
    #[must_use]
    pub fn let_go(&self) -> Vec<AppName> {
        self.lock().released.clone()
    }

    /// Lets go of the apps that `text` means, until their manifests change or somebody makes them again; says which.
    pub fn release(&self, text: &str) -> Vec<AppName> {
        let mut snapshot = self.lock();
        let released: Vec<AppName> = snapshot.apps.keys().filter(|name| name.is_meant_by(text)).cloned().collect();
        snapshot.to_release.extend(released.iter().cloned());
        drop(snapshot);
        self.wake.notify_one();
        released
    }

    /// Waits until the loop has let go of all the apps that `text` means, so that their marks are gone. Says whether it has
    /// within `patience`.
    pub async fn released(&self, text: &str, patience: Duration) -> bool {
        let until = Instant::now() + patience;
        loop {
            let gone = self.gone.notified();
            if !self.lock().apps.keys().any(|name| name.is_meant_by(text)) {
                return true;
            }
            if tokio::time::timeout_at(until, gone).await.is_err() {
                return false;
            }
        }
    }
}

/// The loop and what it needs.
#[derive(Debug)]
pub struct Controller {
    aws: Aws,
    identity: Identity,
    manager: Manager,
    interval: Duration,
    source: watch::Receiver<Arc<Input>>,
    locking: Option<Locking>,
    jitter: Duration,
    shared: Arc<Shared>,
    memory: Memory,
    turns: BTreeMap<AppName, Turn>,
    declared: Option<Declared>,
    released: Released,
}

impl Controller {
    /// A controller that manages what `source` holds in the account and region of `identity`. `interval` is the wait between
    /// passes over a converged app; `jitter` is how long a change of a manifest waits, another time for each controller, so that two
    /// which see the same change do not carry it out in the same moment.
    #[must_use]
    pub fn new(
        aws: Aws,
        identity: Identity,
        manager: Manager,
        interval: Duration,
        source: watch::Receiver<Arc<Input>>,
        locking: Option<Locking>,
        jitter: Duration,
    ) -> Self {
        let shared = Arc::new(Shared::default());
        shared.lock().interval = interval;
        let (memory, turns, declared) = (Memory::default(), BTreeMap::new(), None);
        let released = Released::default();
        Self { aws, identity, manager, interval, source, locking, jitter, shared, memory, turns, declared, released }
    }

    /// Reads the health of targets in every pass, for whoever shows it.
    #[must_use]
    pub fn showing_health(mut self) -> Self {
        self.memory.cache.shows_health = true;
        self
    }

    /// What the controller shows to others, for the HTTP interface.
    #[must_use]
    pub fn shared(&self) -> Arc<Shared> {
        Arc::clone(&self.shared)
    }

    /// Runs until `shutdown` ends: then no new call is made, and one that runs may take five seconds more.
    pub async fn run(mut self, shutdown: impl Future<Output = ()> + Send) {
        let shared = self.shared();
        let rounds = async {
            while !shared.stop.load(Ordering::Relaxed) {
                self.round().await;
            }
        };
        tokio::pin!(rounds);
        tokio::select! {
            () = &mut rounds => return,
            () = shutdown => shared.stop.store(true, Ordering::Relaxed),
        }
        shared.wake.notify_one();
        if tokio::time::timeout(GRACE, rounds).await.is_err() {
            tracing::warn!("a call did not end within {GRACE:?}; the next start will see whether it took effect");
        }
    }

    #[expect(clippy::disallowed_methods, reason = "the loop is the edge where passes get their time")]
    /// One round: take in the source, make a pass over what is due, wait for the next reason.
    async fn round(&mut self) {
        self.take_in(Timestamp::now());
        let now = Instant::now();
        let due = self.turns.values().filter(|turn| turn.due <= now);
        let due: Vec<Desired> = due.map(|turn| turn.desired.clone()).collect();
        let left = self.released.due(now, &self.manager);
        if !left.is_empty() {
            let outcomes = reconcile::plan_only(&self.aws, &left, &mut self.memory, Timestamp::now()).await;
            for app in self.released.see(&outcomes, Instant::now(), self.interval) {
                self.take_back(app, "somebody has made it again", Timestamp::now());
            }
            return;
        }
        if due.is_empty() {
            return self.wait().await;
        }
        let shared = self.shared();
        let outcomes = reconcile::pass_until(&self.aws, &due, &mut self.memory, Timestamp::now(), &shared.stop).await;
        self.settle(&outcomes, Timestamp::now());
    }

    /// Makes the turns follow the source, and tells how that has changed.
    fn take_in(&mut self, at: Timestamp) {
        let input = Arc::clone(&self.source.borrow_and_update());
        let mut snapshot = self.shared.lock();
        snapshot.beat = Some(Instant::now());
        snapshot.problems.clone_from(&input.problems);
        let to_release = std::mem::take(&mut snapshot.to_release);
        drop(snapshot);
        let desired = input.manifests.iter().map(|one| Desired::present(one, &self.identity, &self.manager));
        let mut wanted: BTreeMap<AppName, Desired> = desired.map(|one| (one.marks.app.clone(), one)).collect();
        self.let_go(&to_release, &mut wanted, at);
        self.turns.retain(|name, _| wanted.contains_key(name));
        self.shared.lock().apps.retain(|name, _| wanted.contains_key(name));
        self.shared.gone.notify_waiters();
        for (name, turn) in &mut self.turns {
            let Some(desired) = wanted.remove(name).filter(|desired| *desired != turn.desired) else { continue };
            turn.desired = desired;
            turn.edition += 1;
            (turn.due, turn.quiet, turn.failures) = (Instant::now() + self.jitter, 0, 0);
        }
        for (name, desired) in wanted {
            let lock = self.mark(&name);
            let (due, remarks, track) = (Instant::now(), Vec::new(), Track::default());
            let turn = Turn { desired, edition: 0, track, due, quiet: 0, failures: 0, remarks, _lock: lock };
            self.turns.insert(name, turn);
        }
        self.tell_of_source(at);
    }

    /// Lets go of what is asked, and leaves in `wanted` what is managed.
    fn let_go(&mut self, asked: &BTreeSet<AppName>, wanted: &mut BTreeMap<AppName, Desired>, at: Timestamp) {
        for turn in asked.iter().filter_map(|app| self.turns.get(app)) {
            self.released.add(turn.desired.clone(), Instant::now() + self.interval);
        }
        for app in self.released.follow(wanted) {
            self.take_back(app, "its manifest has changed", at);
        }
        wanted.retain(|app, _| !self.released.names().any(|released| released == app));
        self.shared.lock().released = self.released.names().cloned().collect();
    }

    /// Tells that an app that was let go of is managed again, and why.
    fn take_back(&self, app: AppName, why: &str, at: Timestamp) {
        let (app, kind) = (Some(app), Kind::TakenBack);
        self.shared.transitions.add(Transition { at, app, kind, cause: why.to_owned() });
    }

    /// Tells how the manifests, and what is managed of them, have changed.
    fn tell_of_source(&mut self, at: Timestamp) {
        let editions = self.turns.iter().map(|(name, turn)| (name.clone(), turn.edition)).collect();
        let released = self.released.names().cloned().collect();
        let declared = Declared { editions, released, problems: self.shared.problems() };
        let told = transition::of_source(self.declared.as_ref(), &declared, at);
        told.into_iter().for_each(|one| self.shared.transitions.add(one));
        self.declared = Some(declared);
    }

    /// Marks an app as managed here. Without the mark it is managed all the same.
    fn mark(&self, app: &AppName) -> Option<Lock> {
        let locking = self.locking.as_ref()?;
        let path = lock::path(&locking.directory, &place(&self.aws, &self.identity), app);
        match lock::take(&path, &locking.holder) {
            Ok(Taken::Ours(lock)) => return Some(lock),
            Ok(Taken::Another(holder)) => tracing::warn!("{app} is managed by another process here, too: {holder:?}"),
            Err(error) => tracing::warn!("{app} cannot be marked as managed in {}: {error}", path.display()),
        }
        None
    }

    /// Notes what a pass brought, tells of it, and decides when each app is due next.
    fn settle(&mut self, outcomes: &BTreeMap<AppName, Outcome>, at: Timestamp) {
        let mut told = Vec::new();
        for (name, outcome) in outcomes {
            let Some(turn) = self.turns.get_mut(name) else { continue };
            turn.quiet = if outcome.changed { 0 } else { turn.quiet.saturating_add(1) };
            turn.failures = if outcome.errors().next().is_some() { turn.failures.saturating_add(1) } else { 0 };
            turn.due = Instant::now() + requeue::after(outcome, turn.quiet, turn.failures, self.interval);
            told.extend(turn.tell(name, outcome, at));
            if let Some(plan) = &outcome.plan {
                turn.remark(plan);
            }
        }
        self.shared.metrics.count(outcomes);
        let mut snapshot = self.shared.lock();
        snapshot.passes += 1;
        snapshot.apps.extend(outcomes.iter().map(|(name, outcome)| (name.clone(), outcome.status.clone())));
        self.shared.metrics.note(snapshot.apps.values());
        drop(snapshot);
        told.into_iter().for_each(|one| self.shared.transitions.add(one));
    }

    async fn wait(&mut self) {
        let idle = Instant::now() + self.interval;
        let next = self.turns.values().map(|turn| turn.due).chain(self.released.next()).min().unwrap_or(idle).min(idle);
        let gone = tokio::select! {
            () = tokio::time::sleep_until(next) => false,
            changed = self.source.changed() => changed.is_err(),
            () = self.shared.wake.notified() => false,
        };
        if gone {
            // Whoever watched the files has ended; drift is corrected all the same.
            tokio::select! {
                () = tokio::time::sleep_until(next) => {}
                () = self.shared.wake.notified() => {}
            }
        }
    }
}

/// The place that an app is managed in, for [`lock::path`].
#[must_use]
pub fn place(aws: &Aws, identity: &Identity) -> String {
    let account = aws.endpoint_url().unwrap_or(&identity.account);
    format!("{account} {}", identity.region)
}
