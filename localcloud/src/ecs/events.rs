//! Events of a service: what the scheduler did and why, newest first, the latest hundred.

use std::time::Duration;

use serde_json::{Value, json};

use super::service::ServiceKey;
use crate::clock::CloudTime;
use crate::world::World;

/// Events kept of one service.
const KEPT: usize = 100;

/// An event that repeats is not recorded again for this long.
const SUPPRESSED: Duration = Duration::from_secs(6 * 3600);

/// An event.
#[derive(Debug, Clone)]
pub struct Event {
    id: String,
    at: CloudTime,
    message: String,
}

impl Event {
    /// As the API shows it.
    pub fn view(&self) -> Value {
        json!({"id": self.id, "createdAt": self.at.as_epoch_seconds(), "message": self.message})
    }
}

/// Records an event.
pub fn record(world: &mut World, now: CloudTime, key: &ServiceKey, message: String) {
    let id = world.ids.uuid();
    let Some(service) = world.ecs.services.get_mut(key) else { return };
    // Two events of one moment are a millisecond apart, as AWS's are, so that sorting by time keeps their order.
    let after_last = service.events.front().map(|last| last.at.after(Duration::from_millis(1)));
    let at = after_last.map_or(now, |after_last| after_last.max(now));
    service.events.push_front(Event { id, at, message });
    service.events.truncate(KEPT);
}

/// Records an event unless the same was recorded in the last six hours.
pub fn record_once(world: &mut World, now: CloudTime, key: &ServiceKey, message: String) {
    let Some(service) = world.ecs.services.get(key) else { return };
    let recent = service.events.iter().take_while(|event| now.since(event.at) < SUPPRESSED);
    if !recent.into_iter().any(|event| event.message == message) {
        record(world, now, key, message);
    }
}

/// `(task a) (task b)`, as events list tasks.
pub fn tasks(ids: &[String]) -> String {
    ids.iter().map(|id| format!("(task {id})")).collect::<Vec<_>>().join(" ")
}
