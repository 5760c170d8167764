//! The alarm that sets a step policy off (AWS: CloudWatch PutMetricAlarm).

use super::metrics::{ECS, Metric};
use super::{Problems, grammar};
use crate::manifest::pointer::Pointer;
use crate::manifest::{ComparisonOperator, LaunchType, Manifest, StepAlarm};

/// Longest time that an alarm looks back, in seconds: a week.
const MAX_WINDOW: u64 = 604_800;
/// The same while its period is below an hour: a day.
const MAX_SHORT_WINDOW: u64 = 86_400;
const HOUR: u32 = 3600;

pub(super) fn check(alarm: &StepAlarm, manifest: &Manifest, path: &Pointer, problems: &mut Problems) {
    metric(alarm).check(manifest, path, problems);
    problems.grammar(path.key("statistic"), &alarm.statistic, grammar::statistic, grammar::STATISTIC);
    threshold(alarm, manifest, path.key("threshold"), problems);
    period(alarm, path.key("period"), problems);
    evaluation(alarm, path, problems);
}

/// What the alarm watches.
pub(super) fn metric(alarm: &StepAlarm) -> Metric<'_> {
    Metric {
        namespace: &alarm.namespace,
        name: &alarm.metric_name,
        dimensions: alarm.dimensions.as_ref(),
        unit: alarm.unit.as_deref(),
    }
}

/// CPU and memory of a task on Fargate end at what it reserves; on a container instance they may exceed it.
fn threshold(alarm: &StepAlarm, manifest: &Manifest, path: Pointer, problems: &mut Problems) {
    let never = match alarm.comparison_operator {
        ComparisonOperator::GreaterThanThreshold => alarm.threshold >= 100.0,
        ComparisonOperator::GreaterThanOrEqualToThreshold => alarm.threshold > 100.0,
        ComparisonOperator::LessThanThreshold | ComparisonOperator::LessThanOrEqualToThreshold => false,
    };
    let on_fargate = manifest.spec.launch_type == LaunchType::Fargate;
    if never && on_fargate && metric(alarm).identity(&alarm.statistic, manifest).is_utilization() {
        let what =
            format!("on Fargate the metric never exceeds 100 %, so a threshold of {} never fires", alarm.threshold);
        problems.add(path, what, "use a threshold below 100, such as 75");
    }
}

fn period(alarm: &StepAlarm, path: Pointer, problems: &mut Problems) {
    let period = alarm.period;
    let short = [10, 20, 30].contains(&period);
    if !short && (period == 0 || !period.is_multiple_of(60)) {
        let what = format!("CloudWatch has no period of {period} seconds");
        return problems.add(path, what, "use 10, 20, 30 or a multiple of 60");
    }
    // AWS's own metrics have a value a minute; CPU and memory of an ECS service may have one every 20 seconds.
    let of_service = alarm.namespace == ECS && ["CPUUtilization", "MemoryUtilization"].contains(&&*alarm.metric_name);
    if short && alarm.namespace.starts_with("AWS/") && !(of_service && period == 20) {
        let what = format!("the metrics of `{}` have a value a minute", super::shorten(&alarm.namespace));
        problems.add(path, what, "use 60 or a multiple of it: in a shorter period there is mostly no data");
    }
}

fn evaluation(alarm: &StepAlarm, path: &Pointer, problems: &mut Problems) {
    let periods = alarm.evaluation_periods;
    if periods == 0 {
        return problems.add(path.key("evaluationPeriods"), "0 periods decide nothing", "use 1 or more");
    }
    let most = if alarm.period < HOUR { MAX_SHORT_WINDOW } else { MAX_WINDOW };
    let seconds = u64::from(alarm.period) * u64::from(periods);
    if seconds > most {
        let what = format!(
            "{periods} periods of {} seconds are {seconds} seconds, and an alarm looks back {most} at most",
            alarm.period
        );
        let remedy = if alarm.period < HOUR {
            "lower it, or use a period of an hour or more, with which an alarm looks back a week"
        } else {
            "lower it, or the period"
        };
        problems.add(path.key("evaluationPeriods"), what, remedy);
    }
    if let Some(datapoints) = alarm.datapoints_to_alarm
        && !(1..=periods).contains(&datapoints)
    {
        let what = format!("{datapoints} of {periods} periods cannot breach");
        problems.add(
            path.key("datapointsToAlarm"),
            what,
            format!("use 1 to {periods}, or leave it out for all of them"),
        );
    }
}
