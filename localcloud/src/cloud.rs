//! The one lock around `World`, with what stands at its edge: clock, journal, faults and the runtime.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;
use tokio::sync::Notify;

use crate::call::{Answer, Call, Service};
use crate::clock::{Clock, CloudTime};
use crate::effect::{Effect, Report};
use crate::faults::Faults;
use crate::journal::Journal;
use crate::world::World;

/// Carries out effects. It must not block, and it must not call back into the cloud before it has returned.
pub trait Runtime: Send + Sync {
    /// Starts to carry out `effect`; what comes of it is reported later with [`Cloud::report`], or, where nothing really runs, by
    /// the timers returned.
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

/// A running local cloud.
pub struct Cloud {
    region: String,
    world: Mutex<World>,
    pages: RwLock<BTreeMap<String, Page>>,
    clock: Clock,
    runtime: Box<dyn Runtime>,
    /// Every call made.
    pub journal: Journal,
    /// Faults to come.
    pub faults: Faults,
    /// Rings whenever a timer may have been set.
    changed: Notify,
}

impl Cloud {
    /// Puts the parts together.
    pub fn new(world: World, clock: Clock, runtime: Box<dyn Runtime>) -> Arc<Self> {
        Arc::new(Self {
            region: world.region.clone(),
            world: Mutex::new(world),
            pages: RwLock::default(),
            clock,
            runtime,
            journal: Journal::default(),
            faults: Faults::default(),
            changed: Notify::new(),
        })
    }

    /// Cloud time.
    pub fn now(&self) -> CloudTime {
        self.clock.now()
    }

    /// The one region there is.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Serves `page` at `path`, which begins with a slash, to whoever GETs it.
    pub fn publish(&self, path: &str, page: Page) {
        self.pages.write().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned(), page);
    }

    /// What is served at `path`.
    pub fn page(&self, path: &str) -> Option<Page> {
        self.pages.read().unwrap_or_else(PoisonError::into_inner).get(path).cloned()
    }

    /// A copy of the world as it stands.
    pub fn snapshot(&self) -> World {
        self.lock().clone()
    }

    /// Runs `change` under the lock and then hands its effects to the runtime. Every change of the world goes through here.
    pub fn with_world<R>(self: &Arc<Self>, change: impl FnOnce(&mut World, CloudTime) -> R) -> R {
        let mut world = self.lock();
        // Read under the lock, so that the world never sees time run backwards.
        let now = self.clock.now();
        world.fire_due(now);
        let result = change(&mut world, now);
        world.fire_due(now);
        // The runtime may answer with timers that are due at once and cause further effects, hence the loop.
        while !world.effects.is_empty() {
            for effect in std::mem::take(&mut world.effects) {
                for (delay, report) in self.runtime.apply(self, effect) {
                    world.timers.set(now.after(delay), crate::world::Timer::Report(report));
                }
            }
            world.fire_due(now);
        }
        crate::elb::publish(&mut world);
        drop(world);
        self.changed.notify_one();
        result
    }

    /// Answers one API call, past journal and faults: those belong to the wire's service.
    pub fn call(self: &Arc<Self>, service: Service, operation: &str, input: Value) -> Answer {
        self.with_world(|world, now| world.call(&Call { now }, service, operation, input))
    }

    /// Takes in what came of an effect.
    pub fn report(self: &Arc<Self>, report: Report) {
        self.with_world(|world, now| world.report(now, report));
    }

    /// Advances a stepped clock by `duration`, firing each timer at its own moment.
    pub fn advance(self: &Arc<Self>, duration: Duration) {
        let end = self.clock.now().after(duration);
        while let Some(next) = self.next_timer().filter(|next| *next <= end) {
            self.clock.step_to(next);
            self.with_world(|_, _| ());
        }
        self.clock.step_to(end);
        self.with_world(|_, _| ());
    }

    /// Fires timers as they become due, for ever. For a live clock.
    pub async fn run_timers(self: Arc<Self>) {
        loop {
            let wait = self.next_timer().and_then(|next| self.clock.wall_time_until(next));
            match wait {
                Some(wait) => {
                    #[expect(clippy::disallowed_methods, reason = "the timer loop is what waits for cloud time")]
                    let due = tokio::time::sleep(wait);
                    tokio::select! {
                        () = due => self.with_world(|_, _| ()),
                        () = self.changed.notified() => (),
                    }
                }
                None => self.changed.notified().await,
            }
        }
    }

    fn next_timer(&self) -> Option<CloudTime> {
        self.lock().timers.next()
    }

    fn lock(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
