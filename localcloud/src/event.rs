//! What one service has to tell another. The sender does not know who listens: `World` routes an event by what it holds.

use interstella_autoscaling::alarm::State;
use jiff::Timestamp;

use crate::clock::CloudTime;
use crate::ecs::ServiceKey;
use crate::world::World;
use crate::{application_autoscaling, region, sns, sqs};

/// Something that another service may want to know.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// An alarm invokes one of its actions.
    AlarmAction(AlarmAction),
    /// A service of ECS is being deleted.
    ServiceDeleted(ServiceKey),
    /// A topic sends a message to a queue, which may be in another region.
    MessageForQueue {
        /// The queue.
        queue_arn: String,
        /// The message.
        body: String,
        /// Who is to be told what came of it.
        delivery: DeliveryKey,
    },
    /// What came of a message for a queue.
    QueueAnswered {
        /// Who asked.
        delivery: DeliveryKey,
        /// Whether the queue is there, and has the message now.
        taken: bool,
    },
}

/// A delivery of SNS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryKey {
    /// The topic's region.
    pub region: String,
    /// The delivery there.
    pub delivery_id: u64,
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
    /// The region that the event is for; `None`: the one that it comes from.
    pub(crate) fn region(&self) -> Option<&str> {
        match self {
            Self::AlarmAction(_) | Self::ServiceDeleted(_) => None,
            Self::MessageForQueue { queue_arn, .. } => region::of_arn(queue_arn),
            Self::QueueAnswered { delivery, .. } => Some(&delivery.region),
        }
    }

    /// What comes of an event for a region in which there is nothing.
    pub(crate) fn unheard(self) -> Option<Self> {
        match self {
            Self::MessageForQueue { delivery, .. } => Some(Self::QueueAnswered { delivery, taken: false }),
            Self::AlarmAction(_) | Self::ServiceDeleted(_) | Self::QueueAnswered { .. } => None,
        }
    }

    /// Tells the event to whom it is for.
    pub(crate) fn route(self, world: &mut World, now: CloudTime) {
        match self {
            Self::AlarmAction(action) => action.invoke(world, now),
            Self::ServiceDeleted(key) => application_autoscaling::service_deleted(world, now, &key),
            Self::MessageForQueue { queue_arn, body, delivery } => {
                let taken = sqs::put(world, now, &queue_arn, body);
                world.events.push(Self::QueueAnswered { delivery, taken });
            }
            Self::QueueAnswered { delivery, taken } => sns::queue_answered(world, now, delivery.delivery_id, taken),
        }
    }
}

impl AlarmAction {
    fn invoke(self, world: &mut World, now: CloudTime) {
        if self.action_arn.starts_with("arn:aws:sns:") {
            sns::notify(world, now, &self.action_arn, &self.subject, self.notification);
        } else if self.action_arn.starts_with("arn:aws:autoscaling:") {
            application_autoscaling::alarm_fired(world, now, &self);
        }
    }
}
