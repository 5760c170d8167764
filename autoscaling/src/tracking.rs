//! Target tracking: two alarms around a target value, and the capacity that brings the metric back to it.
//!
//! AWS: Application Auto Scaling user guide, "Target tracking scaling policies". The shape of the alarms was recorded on AWS.

use crate::alarm::{Comparison, Missing, Rule};

/// The low alarm's threshold as a part of the target. Recorded on AWS: 18 for a target of 20.
const LOW_THRESHOLD: f64 = 0.9;
/// Values above the target before tasks are added.
const HIGH_PERIODS: u32 = 3;
/// Values below the low threshold before tasks are removed, with one value a minute.
const LOW_PERIODS: u32 = 15;
/// The same with a value every 20 seconds.
const LOW_PERIODS_HIGH_RESOLUTION: u32 = 30;
/// AWS's default cooldown of a target-tracking policy for ECS services.
pub const DEFAULT_COOLDOWN_SECONDS: u32 = 300;

/// A target-tracking policy, without its metric.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TargetTracking {
    /// The value to keep, in the metric's unit; above zero.
    pub target: f64,
    /// After a scale-out succeeded, for so long only a larger one follows.
    pub scale_out_cooldown_seconds: u32,
    /// After a scale-in succeeded, for so long no other follows.
    pub scale_in_cooldown_seconds: u32,
    /// Whether the policy only adds tasks.
    pub disable_scale_in: bool,
}

/// How often a metric has a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolution {
    /// Every minute.
    Standard,
    /// Every 20 seconds.
    High,
}

impl Resolution {
    /// Length of the alarms' periods.
    #[must_use]
    pub const fn period_seconds(self) -> u32 {
        match self {
            Self::Standard => 60,
            Self::High => 20,
        }
    }
}

impl TargetTracking {
    /// The alarm that adds tasks.
    #[must_use]
    pub fn high_alarm(&self) -> Rule {
        all_of(HIGH_PERIODS, Comparison::GreaterThanThreshold, self.target)
    }

    /// The alarm that removes tasks; none with `disable_scale_in`.
    #[must_use]
    pub fn low_alarm(&self, resolution: Resolution) -> Option<Rule> {
        let periods = match resolution {
            Resolution::Standard => LOW_PERIODS,
            Resolution::High => LOW_PERIODS_HIGH_RESOLUTION,
        };
        let rule = all_of(periods, Comparison::LessThanThreshold, self.target * LOW_THRESHOLD);
        (!self.disable_scale_in).then_some(rule)
    }

    /// The capacity that brings a metric of `value` at `capacity` tasks to the target: in proportion, rounded up, so that more
    /// is added and less removed in doubt. The formula is not AWS's word, but what those who measured it agree on (unverified).
    #[must_use]
    pub fn wanted(&self, capacity: u32, value: f64) -> u32 {
        let wanted = (f64::from(capacity) * value / self.target).ceil();
        // Out of range, and not a number, saturate.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "saturates, as the bounds then hold"
        )]
        let wanted = wanted as u32;
        wanted
    }

    /// Whether `value` at `capacity` tasks would be above the target with `fewer`, and so lead straight to a scale-out.
    #[must_use]
    pub fn would_flap(&self, capacity: u32, value: f64, fewer: u32) -> bool {
        self.wanted(capacity, value) > fewer
    }
}

/// What a scale-in is measured by: the largest of the `values` that decided the low alarm. `None` if they are fewer than the
/// alarm's periods: an alarm may go off where values are missing, but missing values are no low load.
#[must_use]
pub fn recent_peak(low: &Rule, values: impl ExactSizeIterator<Item = f64>) -> Option<f64> {
    let are_enough = values.len() >= low.evaluation_periods as usize;
    values.reduce(f64::max).filter(|_| are_enough)
}

fn all_of(periods: u32, comparison: Comparison, threshold: f64) -> Rule {
    Rule { comparison, threshold, evaluation_periods: periods, datapoints_to_alarm: periods, missing: Missing::Missing }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(target: f64) -> TargetTracking {
        TargetTracking {
            target,
            scale_out_cooldown_seconds: DEFAULT_COOLDOWN_SECONDS,
            scale_in_cooldown_seconds: DEFAULT_COOLDOWN_SECONDS,
            disable_scale_in: false,
        }
    }

    #[test]
    fn the_alarms_are_those_recorded_on_aws() {
        let high = policy(20.0).high_alarm();
        assert_eq!((high.evaluation_periods, high.datapoints_to_alarm, high.threshold), (3, 3, 20.0));
        assert_eq!(high.comparison, Comparison::GreaterThanThreshold);
        let shape = |resolution| policy(20.0).low_alarm(resolution).map(|low| (low.evaluation_periods, low.threshold));
        assert_eq!(shape(Resolution::Standard), Some((15, 18.0)));
        assert_eq!(shape(Resolution::High), Some((30, 18.0)));
        let only_out = TargetTracking { disable_scale_in: true, ..policy(20.0) };
        assert_eq!(only_out.low_alarm(Resolution::Standard), None);
    }

    #[test]
    fn a_scale_in_is_not_measured_by_too_few_values() {
        let low = policy(20.0).low_alarm(Resolution::Standard).unwrap();
        let of = |count: usize| recent_peak(&low, (0_u8..).map(f64::from).take(count).collect::<Vec<_>>().into_iter());
        assert_eq!([0, 14, 15].map(of), [None, None, Some(14.0)]);
    }

    #[test]
    fn capacity_is_proportional_and_rounded_up() {
        // Capacity, value, target, wanted.
        let rows = [
            (4, 150.0, 100.0, 6),
            (4, 101.0, 100.0, 5),
            (10, 45.0, 100.0, 5),
            (10, 41.0, 100.0, 5),
            (2, 89.0, 100.0, 2),
            (3, 0.0, 100.0, 0),
            // CPU saturates at 100 %, so that one step grows by no more than 1/target.
            (4, 100.0, 80.0, 5),
            (4, 100.0, 40.0, 10),
        ];
        for (capacity, value, target, wanted) in rows {
            assert_eq!(policy(target).wanted(capacity, value), wanted, "{capacity} × {value} / {target}");
        }
        assert_eq!(policy(1e-100).wanted(u32::MAX, 1e100), u32::MAX);
    }
}
