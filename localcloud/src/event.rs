//! What one service has to tell another. The sender does not know who listens: `World` routes an event by what it holds.

use interstella_autoscaling::alarm::State;
use jiff::Timestamp;

use crate::clock::CloudTime;
use crate::ecs::ServiceKey;
use crate::world::World;
use crate::{application_autoscaling, sns};

/// Something that another service may want to know.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// An alarm invokes one of its actions.
    AlarmAction(AlarmAction),
    /// A service of ECS is being deleted.
    ServiceDeleted(ServiceKey),
}

/// An alarm that invokes one of its actions.
#[derive(Debug, Clone, PartialEq)]
pub struct AlarmAction {
    /// The action: a topic or a scaling policy.
    pub action_arn: String,
    /// Name of the alarm.
    pub alarm: String,
    /// The alarm's state.
    pub state: State,
    /// The values that decided the state, oldest first; empty after SetAlarmState without them.
    pub datapoints: Vec<(Timestamp, f64)>,
    /// What a topic is sent: AWS's JSON of an alarm's notification.
    pub notification: String,
    /// The subject of that notification.
    pub subject: String,
}

impl Event {
    /// Tells the event to whom it is for.
    pub(crate) fn route(self, world: &mut World, now: CloudTime) {
        let action = match self {
            Self::AlarmAction(action) => action,
            Self::ServiceDeleted(key) => return application_autoscaling::service_deleted(world, now, &key),
        };
        if action.action_arn.starts_with("arn:aws:sns:") {
            sns::notify(world, now, &action.action_arn, &action.subject, action.notification);
        } else if action.action_arn.starts_with("arn:aws:autoscaling:") {
            application_autoscaling::alarm_fired(world, now, &action);
        }
    }
}
