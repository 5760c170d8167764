//! What a simulation tells.

use jiff::Timestamp;

use crate::activity::{
    Status, description, description_of_bounds, description_of_none, status_message, status_message_of_bounds,
};
use crate::combine::NotScaled;

/// What the service would have done.
#[derive(Debug, Clone, PartialEq)]
pub struct Simulation {
    /// Minute by minute.
    pub samples: Vec<Sample>,
    /// All of it together.
    pub totals: Totals,
    /// What auto scaling did and tried, oldest first; of repeated attempts in vain the first.
    pub activities: Vec<Activity>,
}

/// A minute.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// Counted from the start.
    pub minute: u32,
    /// Orders that arrived.
    pub orders: u32,
    /// Tasks that were wanted at the end of the minute, before the alarms were looked at.
    pub desired: u32,
    /// Tasks that were healthy at that moment.
    pub running: u32,
    /// Share of the slots for orders that were in use, in percent; `None`: no task was healthy, or slots are not
    /// counted.
    pub utilisation_percent: Option<f64>,
    /// Orders on which no task worked yet, at the end of the minute.
    pub waiting: u32,
    /// Orders that arrived in this minute and were done too late.
    pub late: u32,
}

/// All of it together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Totals {
    /// Orders that arrived: those that were done and those that were not.
    pub orders: u64,
    /// Orders that were done before the end.
    pub done: u64,
    /// Orders that still waited or were worked on at the end.
    pub unfinished: u64,
    /// Orders that were done too late, or had waited for too long at the end.
    pub late: u64,
    /// The response time that half of the orders do not exceed, in seconds; `None` without orders.
    pub median_seconds: Option<f64>,
    /// The response time that 99 % of the orders do not exceed, in seconds.
    pub p99_seconds: Option<f64>,
    /// The longest response time, in seconds.
    pub longest_seconds: Option<f64>,
    /// Most tasks that were wanted.
    pub most_tasks: u32,
    /// Average share of the slots in use while tasks were healthy, in percent.
    pub utilisation_percent: Option<f64>,
    /// Hours of tasks that are billed: from the start of each to its end, one minute at least.
    pub task_hours: f64,
}

impl Totals {
    /// Late orders as a part of all, from 0 to 1.
    #[must_use]
    pub fn late_share(&self) -> f64 {
        if self.orders == 0 { 0.0 } else { self.late as f64 / self.orders as f64 }
    }
}

/// Something that auto scaling did, or tried (AWS: ScalingActivity).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activity {
    /// When it began.
    pub at: Timestamp,
    /// When it ended; `None`: it had not, or it set the bounds.
    pub ended_at: Option<Timestamp>,
    /// What set it off, in AWS's words.
    pub cause: String,
    /// What it came to.
    pub outcome: Outcome,
}

/// What an activity came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The count was set.
    Set {
        /// Tasks that were wanted before.
        from: u32,
        /// Tasks that were wanted from then on.
        to: u32,
        /// Where that stands.
        status: Status,
        /// The count when it ended.
        found: u32,
    },
    /// A scheduled action set the bounds.
    Bounded {
        /// Fewest tasks from then on.
        min_capacity: u32,
        /// Most tasks from then on.
        max_capacity: u32,
    },
    /// The count stayed, and why.
    NotScaled(NotScaled),
}

impl Activity {
    /// The count before and after it; `None`: it set none.
    #[must_use]
    pub fn change(&self) -> Option<(u32, u32)> {
        match self.outcome {
            Outcome::Set { from, to, .. } => Some((from, to)),
            Outcome::Bounded { .. } | Outcome::NotScaled(_) => None,
        }
    }

    /// AWS's description of it.
    #[must_use]
    pub fn description(&self) -> String {
        match self.outcome {
            Outcome::Set { to, .. } => description(to),
            Outcome::Bounded { min_capacity, max_capacity } => description_of_bounds(min_capacity, max_capacity),
            Outcome::NotScaled(_) => description_of_none().to_owned(),
        }
    }

    /// Where it stands.
    #[must_use]
    pub fn status(&self) -> Status {
        match self.outcome {
            Outcome::Set { status, .. } => status,
            Outcome::Bounded { .. } => Status::Successful,
            Outcome::NotScaled(reason) => reason.status(),
        }
    }

    /// AWS's message on where it stands; `None` for one that changed nothing.
    #[must_use]
    pub fn status_message(&self) -> Option<String> {
        match self.outcome {
            Outcome::Set { to, status, found, .. } => Some(status_message(status, to, found)),
            Outcome::Bounded { min_capacity, max_capacity } => {
                Some(status_message_of_bounds(min_capacity, max_capacity))
            }
            Outcome::NotScaled(_) => None,
        }
    }
}
