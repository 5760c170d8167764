//! What Application Auto Scaling says of what it did, in its own words.
//!
//! AWS: Application Auto Scaling API reference, ScalingActivity; the texts were recorded on AWS where not marked otherwise.

use crate::combine::NotScaled;

/// Where an activity stands (AWS: StatusCode).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// The service was told.
    InProgress,
    /// As many tasks run.
    Successful,
    /// Somebody else changed the count meanwhile.
    Overridden,
    /// The count could not be set, or a bound forbade it.
    Failed,
}

impl Status {
    /// AWS's name of it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::InProgress => "InProgress",
            Self::Successful => "Successful",
            Self::Overridden => "Overridden",
            Self::Failed => "Failed",
        }
    }
}

/// What set an activity off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// An alarm that is in ALARM.
    Alarm {
        /// Its name.
        alarm: String,
        /// The policy's name.
        policy: String,
    },
    /// The bounds were changed, and the count was below.
    MinimumSet(u32),
    /// The bounds were changed, and the count was above.
    MaximumSet(u32),
    /// A scheduled action changed the bounds.
    Scheduled {
        /// Its name.
        action: String,
        /// The bound that the count was beyond.
        bound: Box<Cause>,
    },
}

impl Cause {
    /// The bound that moves `capacity`; `None`: it is within both.
    #[must_use]
    pub fn of_bounds(capacity: u32, min_capacity: u32, max_capacity: u32) -> Option<Self> {
        if capacity < min_capacity {
            Some(Self::MinimumSet(min_capacity))
        } else {
            (capacity > max_capacity).then_some(Self::MaximumSet(max_capacity))
        }
    }
}

impl std::fmt::Display for Cause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Alarm { alarm, policy } => {
                write!(f, "monitor alarm {alarm} in state ALARM triggered policy {policy}")
            }
            Self::MinimumSet(bound) => write!(f, "minimum capacity was set to {bound}"),
            Self::MaximumSet(bound) => write!(f, "maximum capacity was set to {bound}"),
            // That the action set the bounds is an activity of its own, whose cause is `scheduled_cause`.
            Self::Scheduled { action: _, bound } => bound.fmt(f),
        }
    }
}

/// `Description` of an activity that sets the count.
#[must_use]
pub fn description(to: u32) -> String {
    format!("Setting desired count to {to}.")
}

/// `Description` of an activity that sets nothing (unverified).
#[must_use]
pub fn description_of_none() -> &'static str {
    "Attempting to scale due to alarm triggered"
}

/// `StatusMessage` of an activity that set the count. `found` is what somebody else made of it.
#[must_use]
pub fn status_message(status: Status, to: u32, found: u32) -> String {
    let told = format!("Successfully set desired count to {to}.");
    match status {
        Status::InProgress => format!("{told} Waiting for change to be fulfilled by ecs."),
        Status::Successful => format!("{told} Change successfully fulfilled by ecs."),
        Status::Overridden => format!("{told} Found it was later changed to {found}."),
        Status::Failed => format!("Failed to set desired count to {to}."),
    }
}

/// `Cause` of the activity in which a scheduled action sets the bounds; moving the count between them is another activity.
///
/// AWS: Application Auto Scaling user guide, "Scaling activities", has this text and the two that follow.
#[must_use]
pub fn scheduled_cause(action: &str) -> String {
    format!("scheduled action name {action} was triggered")
}

/// `Description` of an activity that sets the bounds.
#[must_use]
pub fn description_of_bounds(min_capacity: u32, max_capacity: u32) -> String {
    format!("Setting min capacity to {min_capacity} and max capacity to {max_capacity}")
}

/// `StatusMessage` of an activity that set the bounds.
#[must_use]
pub fn status_message_of_bounds(min_capacity: u32, max_capacity: u32) -> String {
    format!("Successfully set min capacity to {min_capacity} and max capacity to {max_capacity}")
}

impl NotScaled {
    /// AWS's code of the reason.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::AnticipatedFlapping => "AutoScalingAnticipatedFlapping",
            Self::AlreadyAtMaxCapacity(_) => "AlreadyAtMaxCapacity",
            Self::AlreadyAtMinCapacity(_) => "AlreadyAtMinCapacity",
            Self::AlreadyAtDesiredCapacity(_) => "AlreadyAtDesiredCapacity",
        }
    }

    /// How the activity ends: recorded on AWS as failed at a bound, as successful where the capacity is what is wanted.
    #[must_use]
    pub const fn status(self) -> Status {
        match self {
            Self::AlreadyAtDesiredCapacity(_) => Status::Successful,
            Self::AnticipatedFlapping | Self::AlreadyAtMaxCapacity(_) | Self::AlreadyAtMinCapacity(_) => Status::Failed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_those_of_aws() {
        let (alarm, policy) = ("TargetTracking-service/c/s-AlarmLow-1".to_owned(), "p".to_owned());
        assert_eq!(
            Cause::Alarm { alarm, policy }.to_string(),
            "monitor alarm TargetTracking-service/c/s-AlarmLow-1 in state ALARM triggered policy p"
        );
        let bounds = [(0, 1, 5), (9, 1, 5), (3, 1, 5)].map(|(capacity, min, max)| Cause::of_bounds(capacity, min, max));
        let shown: Vec<String> = bounds.iter().flatten().map(ToString::to_string).collect();
        assert_eq!(shown, ["minimum capacity was set to 1", "maximum capacity was set to 5"]);
        let scheduled = Cause::Scheduled { action: "night".to_owned(), bound: Box::new(Cause::MaximumSet(5)) };
        assert_eq!(scheduled.to_string(), "maximum capacity was set to 5");
        assert_eq!(scheduled_cause("night"), "scheduled action name night was triggered");
        assert_eq!(description_of_bounds(5, 10), "Setting min capacity to 5 and max capacity to 10");
        assert_eq!(status_message_of_bounds(5, 10), "Successfully set min capacity to 5 and max capacity to 10");
        assert_eq!(description(1), "Setting desired count to 1.");
        let message = |status| status_message(status, 1, 2);
        assert_eq!(
            [Status::InProgress, Status::Successful, Status::Overridden].map(message),
            [
                "Successfully set desired count to 1. Waiting for change to be fulfilled by ecs.",
                "Successfully set desired count to 1. Change successfully fulfilled by ecs.",
                "Successfully set desired count to 1. Found it was later changed to 2.",
            ]
        );
    }
}
