//! What happened to alarms (AWS: DescribeAlarmHistory), within a bound. AWS keeps it for 30 days, also of deleted alarms.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use interstella_autoscaling::alarm::State;
use serde_json::{Value, json};

use super::{Alarm, AlarmConfiguration};
use crate::clock::CloudTime;

/// Items kept of all alarms.
const MAX_ITEMS: usize = 1_000;
/// How long an item is kept, in cloud time (AWS: 30 days).
const LIFE: Duration = Duration::from_hours(30 * 24);

/// Newest last.
#[derive(Debug, Clone, Default)]
pub struct History {
    items: VecDeque<Arc<Item>>,
    recorded: u64,
}

/// Something that happened.
#[derive(Debug)]
pub(super) struct Item {
    /// Tells it from all others.
    pub sequence: String,
    pub alarm: String,
    pub at: CloudTime,
    /// `ConfigurationUpdate`, `StateUpdate` or `Action`.
    pub kind: &'static str,
    pub summary: String,
    /// JSON.
    pub data: String,
}

impl History {
    pub(super) fn items(&self) -> impl DoubleEndedIterator<Item = &Item> {
        self.items.iter().map(|item| &**item)
    }

    fn record(&mut self, alarm: &str, at: CloudTime, kind: &'static str, summary: String, data: &Value) {
        self.recorded += 1;
        let (sequence, alarm, data) = (self.recorded.to_string(), alarm.to_owned(), data.to_string());
        self.items.push_back(Arc::new(Item { sequence, alarm, at, kind, summary, data }));
        while self.items.len() > MAX_ITEMS || self.items.front().is_some_and(|item| at.since(item.at) > LIFE) {
            self.items.pop_front();
        }
    }

    /// An alarm was made, changed or deleted; `what` is `created`, `updated` or `deleted`.
    pub(super) fn configured(&mut self, at: CloudTime, what: &str, configuration: &AlarmConfiguration) {
        let name = &configuration.name;
        let kind = match what {
            "created" => "Create",
            "updated" => "Update",
            _ => "Delete",
        };
        let mut view = configuration.view();
        if let Value::Object(members) = &mut view {
            members.retain(|_, value| !value.is_null());
        }
        let data = json!({"version": "1.0", "type": kind, format!("{what}Alarm"): view});
        self.record(name, at, "ConfigurationUpdate", format!("Alarm \"{name}\" {what}"), &data);
    }

    /// An alarm went from one state to another.
    pub(super) fn transitioned(&mut self, at: CloudTime, before: (State, &str, Option<&str>), alarm: &Alarm) {
        let shown = |(state, reason, data): (State, &str, Option<&str>)| {
            let mut shown = json!({"stateValue": state.name(), "stateReason": reason});
            if let Some(data) = data.and_then(|data| serde_json::from_str::<Value>(data).ok()) {
                shown["stateReasonData"] = data;
            }
            shown
        };
        let after = (alarm.state, alarm.state_reason.as_str(), alarm.state_reason_data.as_deref());
        let data = json!({"version": "1.0", "oldState": shown(before), "newState": shown(after)});
        let summary = format!("Alarm updated from {} to {}", before.0.name(), alarm.state.name());
        self.record(&alarm.configuration.name, at, "StateUpdate", summary, &data);
    }

    /// An alarm invoked an action.
    pub(super) fn acted(&mut self, at: CloudTime, alarm: &Alarm, action: &str) {
        let data = json!({
            "actionState": "Succeeded",
            "stateUpdateTimestamp": alarm.state_updated.as_millis(),
            "notificationResource": action,
        });
        let name = &alarm.configuration.name;
        self.record(name, at, "Action", format!("Successfully executed action {action}"), &data);
    }
}
