//! The one lock around the worlds of all regions, with what stands at their edge and is shared: clock, journal,
//! faults, runtime.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;
use tokio::sync::Notify;

use crate::call::{Answer, ApiError, Call, Service};
use crate::clock::{Clock, CloudTime};
use crate::effect::{Effect, Report};
use crate::faults::Faults;
use crate::journal::Journal;
use crate::regions::Regions;
use crate::world::{Timer, World};

/// Carries out effects. It must not block, and it must not call back into the cloud before it has returned.
pub trait Runtime: Send + Sync {
    /// Starts to carry out an effect of the region that `cloud` is seen from. What comes of it is reported there
    /// later, with [`Cloud::report`], or, where nothing really runs, by the timers returned.
    fn apply(&self, cloud: &Arc<Cloud>, effect: Effect) -> Vec<(Duration, Report)>;
}

/// Something that is served at a path besides the APIs, such as the certificate that signs SNS's messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Its media type.
    pub content_type: String,
    /// Its bytes.
    pub body: Bytes,
}

/// A running local cloud, seen from one of its regions. Everything but that region's world is shared.
pub struct Cloud {
    region: String,
    shared: Arc<Shared>,
    /// Every call made.
    pub journal: Arc<Journal>,
    /// Faults to come.
    pub faults: Arc<Faults>,
}

/// What all regions share.
struct Shared {
    regions: Mutex<Regions>,
    pages: RwLock<BTreeMap<String, Page>>,
    clock: Clock,
    runtime: Box<dyn Runtime>,
    /// Rings whenever a timer may have been set.
    changed: Notify,
}

impl Cloud {
    /// Puts the parts together, seen from the region of `world`. Other regions begin as they are asked for.
    pub fn new(world: World, clock: Clock, runtime: Box<dyn Runtime>) -> Arc<Self> {
        let region = world.region.clone();
        let regions = Mutex::new(Regions::new(world));
        let shared = Shared { regions, pages: RwLock::default(), clock, runtime, changed: Notify::new() };
        Arc::new(Self { region, shared: Arc::new(shared), journal: Arc::default(), faults: Arc::default() })
    }

    /// The same cloud seen from another region, which begins with the first call to it.
    ///
    /// # Errors
    /// As AWS refuses a signature for a region that there is not, and `NotImplemented` for one region too many.
    pub fn in_region(self: &Arc<Self>, region: &str) -> Result<Arc<Self>, ApiError> {
        self.lock().admit(region)?;
        Ok(self.seen_from(region))
    }

    /// Whether anything was ever called in a region.
    pub fn has_region(&self, region: &str) -> bool {
        self.lock().has(region)
    }

    /// Cloud time.
    pub fn now(&self) -> CloudTime {
        self.shared.clock.now()
    }

    /// The region that the cloud is seen from.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Serves `page` at `path`, which begins with a slash, to whoever GETs it.
    pub fn publish(&self, path: &str, page: Page) {
        self.shared.pages.write().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned(), page);
    }

    /// What is served at `path`.
    pub fn page(&self, path: &str) -> Option<Page> {
        self.shared.pages.read().unwrap_or_else(PoisonError::into_inner).get(path).cloned()
    }

    /// A copy of the region's world as it stands.
    pub fn snapshot(&self) -> World {
        self.lock().world(&self.region).clone()
    }

    /// Runs `change` on the region's world under the lock and then hands its effects to the runtime, together with
    /// what came of it in other regions. Every change of a world goes through here.
    pub fn with_world<R>(self: &Arc<Self>, change: impl FnOnce(&mut World, CloudTime) -> R) -> R {
        let mut regions = self.lock();
        // Read under the lock, so that no world ever sees time run backwards.
        let now = self.shared.clock.now();
        regions.settle(now);
        let result = change(regions.world(&self.region), now);
        regions.settle(now);
        // The runtime may answer with timers that are due at once and cause further effects, hence the loop.
        loop {
            let effects = regions.take_effects();
            if effects.is_empty() {
                break;
            }
            for (region, effect) in effects {
                self.apply(&mut regions, now, &region, effect);
            }
            regions.settle(now);
        }
        regions.publish();
        drop(regions);
        self.shared.changed.notify_one();
        result
    }

    /// Hands an effect of a region to the runtime, which sees the cloud from there.
    fn apply(self: &Arc<Self>, regions: &mut Regions, now: CloudTime, region: &str, effect: Effect) {
        for (delay, report) in self.shared.runtime.apply(&self.seen_from(region), effect) {
            regions.world(region).timers.set(now.after(delay), Timer::Report(report));
        }
    }

    /// Answers one API call to the region, past journal and faults: those belong to the wire's service.
    pub fn call(self: &Arc<Self>, service: Service, operation: &str, input: Value) -> Answer {
        self.with_world(|world, now| world.call(&Call { now }, service, operation, input))
    }

    /// Takes in what came of an effect of the region.
    pub fn report(self: &Arc<Self>, report: Report) {
        self.with_world(|world, now| world.report(now, report));
    }

    /// Advances a stepped clock by `duration`, firing each timer at its own moment.
    pub fn advance(self: &Arc<Self>, duration: Duration) {
        let end = self.now().after(duration);
        while let Some(next) = self.next_timer().filter(|next| *next <= end) {
            self.shared.clock.step_to(next);
            self.with_world(|_, _| ());
        }
        self.shared.clock.step_to(end);
        self.with_world(|_, _| ());
    }

    /// Fires timers as they become due, for ever. For a live clock.
    pub async fn run_timers(self: Arc<Self>) {
        loop {
            let wait = self.next_timer().and_then(|next| self.shared.clock.wall_time_until(next));
            match wait {
                Some(wait) => {
                    #[expect(clippy::disallowed_methods, reason = "the timer loop is what waits for cloud time")]
                    let due = tokio::time::sleep(wait);
                    tokio::select! {
                        () = due => self.with_world(|_, _| ()),
                        () = self.shared.changed.notified() => (),
                    }
                }
                None => self.shared.changed.notified().await,
            }
        }
    }

    fn next_timer(&self) -> Option<CloudTime> {
        self.lock().next_timer()
    }

    fn seen_from(self: &Arc<Self>, region: &str) -> Arc<Self> {
        if region == self.region {
            return Arc::clone(self);
        }
        let (shared, journal, faults) = (Arc::clone(&self.shared), Arc::clone(&self.journal), Arc::clone(&self.faults));
        Arc::new(Self { region: region.to_owned(), shared, journal, faults })
    }

    fn lock(&self) -> MutexGuard<'_, Regions> {
        self.shared.regions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
