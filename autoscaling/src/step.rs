//! Step scaling: how far a metric is past its alarm's threshold picks the adjustment.
//!
//! AWS: Application Auto Scaling user guide, "Step scaling policies".

/// A step-scaling policy.
#[derive(Debug, Clone, PartialEq)]
pub struct StepScaling {
    /// What an adjustment means.
    pub adjustment_type: AdjustmentType,
    /// The steps, which leave no gap and do not overlap.
    pub steps: Vec<Step>,
    /// After a scaling succeeded, for so long a scale-out adds only what a larger step has more, and no scale-in follows.
    pub cooldown_seconds: u32,
    /// Fewest tasks that a change in percent adds or removes.
    pub min_adjustment_magnitude: Option<u32>,
    /// How the alarm's values become the one that picks the step.
    pub aggregation: Aggregation,
}

/// What an adjustment means (AWS: AdjustmentType).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AdjustmentType {
    /// So many tasks more, or fewer.
    ChangeInCapacity,
    /// So many percent more, or fewer.
    PercentChangeInCapacity,
    /// Exactly so many tasks.
    ExactCapacity,
}

/// How several values become one (AWS: MetricAggregationType).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Aggregation {
    /// Their average.
    #[default]
    Average,
    /// The smallest.
    Minimum,
    /// The largest.
    Maximum,
}

impl Aggregation {
    /// The one value; `None` without values.
    #[must_use]
    pub fn of(self, values: &[f64]) -> Option<f64> {
        let values = values.iter().copied();
        match self {
            Self::Minimum => values.reduce(f64::min),
            Self::Maximum => values.reduce(f64::max),
            Self::Average => {
                let bucket = crate::series::Bucket::of_all(values)?;
                Some(bucket.sum / bucket.sample_count)
            }
        }
    }
}

/// One step: an interval of metric values, counted from the alarm's threshold, and what to do in it (AWS: StepAdjustment).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// Lower end; `None`: no lower end.
    pub lower_bound: Option<f64>,
    /// Upper end; `None`: no upper end.
    pub upper_bound: Option<f64>,
    /// Tasks or percent; with `ExactCapacity` the count itself.
    pub adjustment: i32,
}

impl Step {
    /// Whether the step is for a metric so far from the threshold. At or above it the lower end belongs to the step, below it the
    /// upper end does, so that the intervals of both directions mirror each other.
    fn is_for(&self, breach: f64) -> bool {
        let lower = self.lower_bound.unwrap_or(f64::NEG_INFINITY);
        let upper = self.upper_bound.unwrap_or(f64::INFINITY);
        if breach >= 0.0 { lower <= breach && breach < upper } else { lower < breach && breach <= upper }
    }
}

impl StepScaling {
    /// The capacity from `base` for a metric of `value`; `None`: no step is for it.
    #[must_use]
    pub fn wanted(&self, base: u32, value: f64, threshold: f64) -> Option<u32> {
        let step = self.steps.iter().find(|step| step.is_for(value - threshold))?;
        Some(match self.adjustment_type {
            AdjustmentType::ExactCapacity => u32::try_from(step.adjustment).unwrap_or(0),
            AdjustmentType::ChangeInCapacity => base.saturating_add_signed(step.adjustment),
            AdjustmentType::PercentChangeInCapacity => base.saturating_add_signed(self.percent(base, step.adjustment)),
        })
    }

    /// So many percent of `base` in whole tasks: a part of a task counts as one, further parts are dropped.
    fn percent(&self, base: u32, percent: i32) -> i32 {
        let exact = f64::from(base) * f64::from(percent) / 100.0;
        let whole = if exact != 0.0 && exact.abs() < 1.0 { 1.0 } else { exact.abs().trunc() };
        let least = f64::from(self.min_adjustment_magnitude.unwrap_or(0));
        let magnitude = if percent == 0 { 0.0 } else { whole.max(least) };
        #[expect(clippy::cast_possible_truncation, reason = "saturates, as the bounds then hold")]
        let change = magnitude.copysign(f64::from(percent)) as i32;
        change
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(adjustment_type: AdjustmentType, steps: &[(Option<f64>, Option<f64>, i32)]) -> StepScaling {
        let step = |&(lower_bound, upper_bound, adjustment)| Step { lower_bound, upper_bound, adjustment };
        StepScaling {
            adjustment_type,
            steps: steps.iter().map(step).collect(),
            cooldown_seconds: 300,
            min_adjustment_magnitude: None,
            aggregation: Aggregation::Average,
        }
    }

    #[test]
    fn bounds_above_and_below_the_threshold_mirror_each_other() {
        let steps =
            [(None, Some(-10.0), -2), (Some(-10.0), Some(0.0), -1), (Some(0.0), Some(10.0), 1), (Some(10.0), None, 2)];
        let policy = policy(AdjustmentType::ChangeInCapacity, &steps);
        let rows = [(70.0, 12), (60.0, 12), (59.9, 11), (50.0, 11), (49.9, 9), (40.1, 9), (40.0, 8), (0.0, 8)];
        for (value, wanted) in rows {
            assert_eq!(policy.wanted(10, value, 50.0), Some(wanted), "{value}");
        }
    }

    #[test]
    fn a_value_that_no_step_is_for_changes_nothing() {
        let policy = policy(AdjustmentType::ChangeInCapacity, &[(Some(0.0), None, 1)]);
        assert_eq!(policy.wanted(10, 49.0, 50.0), None);
    }

    #[test]
    fn percent_is_rounded_as_documented() {
        // Base, percent, change: 12.7 → 12, 0.67 → 1, −0.58 → −1, −6.67 → −6.
        let rows = [(127, 10, 12), (67, 1, 1), (58, -1, -1), (667, -1, -6), (10, 10, 1), (10, 0, 0), (0, 50, 0)];
        for (base, percent, change) in rows {
            let policy = policy(AdjustmentType::PercentChangeInCapacity, &[(None, None, percent)]);
            assert_eq!(
                policy.wanted(base, 0.0, 0.0),
                Some(base.saturating_add_signed(change)),
                "{percent} % of {base}"
            );
        }
    }

    #[test]
    fn a_change_in_percent_has_a_least_magnitude() {
        let mut policy =
            policy(AdjustmentType::PercentChangeInCapacity, &[(None, Some(0.0), -25), (Some(0.0), None, 25)]);
        policy.min_adjustment_magnitude = Some(2);
        assert_eq!(policy.wanted(4, 1.0, 0.0), Some(6));
        assert_eq!(policy.wanted(4, -1.0, 0.0), Some(2));
        assert_eq!(policy.wanted(100, 1.0, 0.0), Some(125));
    }

    #[test]
    fn an_exact_capacity_does_not_depend_on_what_is() {
        let policy = policy(AdjustmentType::ExactCapacity, &[(None, None, 7)]);
        assert_eq!([0, 7, 100].map(|base| policy.wanted(base, 1.0, 0.0)), [Some(7); 3]);
    }

    #[test]
    fn values_become_one() {
        let of = |aggregation: Aggregation| aggregation.of(&[1.0, 2.0, 6.0]);
        assert_eq!(
            [Aggregation::Average, Aggregation::Minimum, Aggregation::Maximum].map(of),
            [Some(3.0), Some(1.0), Some(6.0)]
        );
        assert_eq!(Aggregation::Average.of(&[]), None);
    }
}
