//! Policies with their alarms and metrics, and scheduled actions, as the simulation takes them.

use jiff::tz::TimeZone;

use super::Metric;
use crate::alarm::Rule;
use crate::combine;
use crate::schedule::{Schedule, Span};
use crate::series::Statistic;
use crate::step::StepScaling;
use crate::tracking::{Resolution, TargetTracking};

/// A policy with the alarms that set it off.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Its name.
    pub(crate) name: String,
    /// What it says.
    pub(crate) policy: combine::Policy,
    /// What its alarms look at.
    pub(crate) metric: Metric,
    /// How values become one.
    pub(crate) statistic: Statistic,
    pub(crate) period_seconds: u32,
    /// Its alarms, in the order in which they are looked at.
    pub(crate) alarms: Vec<Alarm>,
}

/// An alarm.
#[derive(Debug, Clone)]
pub(crate) struct Alarm {
    pub(crate) name: String,
    pub(crate) rule: Rule,
    pub(crate) role: Role,
}

/// What an alarm does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Adds tasks for target tracking.
    High,
    /// Removes tasks for target tracking.
    Low,
    /// Sets a step policy off.
    Step,
}

/// The alarm of a step policy.
#[derive(Debug, Clone, PartialEq)]
pub struct StepAlarm {
    /// Its name.
    pub name: String,
    /// What it looks at.
    pub metric: Metric,
    /// How the values of a period become one.
    pub statistic: Statistic,
    /// Length of a period: a multiple of 60, as the model has a value a minute.
    pub period_seconds: u32,
    /// What it compares.
    pub rule: Rule,
}

impl Policy {
    /// A target-tracking policy of the service `resource`, which is `service/<cluster>/<service>`. Its alarms have
    /// AWS's names without the random part.
    #[must_use]
    pub fn tracking(name: &str, resource: &str, metric: Metric, policy: TargetTracking) -> Self {
        let alarm = |kind, role, rule| Alarm { name: format!("TargetTracking-{resource}-{kind}"), rule, role };
        let high = alarm("AlarmHigh", Role::High, policy.high_alarm());
        let low = policy.low_alarm(Resolution::Standard).map(|rule| alarm("AlarmLow", Role::Low, rule));
        Self {
            name: name.to_owned(),
            policy: combine::Policy::TargetTracking(policy),
            metric,
            // AWS: the statistic of the request count per target is its sum, which is already an average.
            statistic: if metric == Metric::RequestCountPerTarget { Statistic::Sum } else { Statistic::Average },
            period_seconds: Resolution::Standard.period_seconds(),
            alarms: std::iter::once(high).chain(low).collect(),
        }
    }

    /// A step-scaling policy with its alarm.
    #[must_use]
    pub fn step(name: &str, policy: StepScaling, alarm: StepAlarm) -> Self {
        let StepAlarm { name: alarm, metric, statistic, period_seconds, rule } = alarm;
        let alarms = vec![Alarm { name: alarm, rule, role: Role::Step }];
        let policy = combine::Policy::StepScaling(policy);
        Self { name: name.to_owned(), policy, metric, statistic, period_seconds, alarms }
    }
}

/// A scheduled action.
#[derive(Debug, Clone)]
pub struct Scheduled {
    /// Its name.
    pub name: String,
    /// When it happens.
    pub schedule: Schedule,
    /// The time zone of the schedule.
    pub zone: TimeZone,
    /// Between which moments it holds.
    pub span: Span,
    /// The minimum from then on; `None`: as before.
    pub min_capacity: Option<u32>,
    /// The maximum from then on; `None`: as before.
    pub max_capacity: Option<u32>,
}
