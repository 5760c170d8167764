//! The one lock around `World`, with what stands at its edge: clock, journal, faults and the runtime.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

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

/// A running local cloud.
pub struct Cloud {
    world: Mutex<World>,
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
            world: Mutex::new(world),
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

    /// Runs `change` under the lock and then hands its effects to the runtime. Every change of the world goes through here.
    pub fn with_world<R>(self: &Arc<Self>, change: impl FnOnce(&mut World, CloudTime) -> R) -> R {
        let now = self.clock.now();
        let mut world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
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
        self.world.lock().unwrap_or_else(PoisonError::into_inner).timers.next()
    }
}
