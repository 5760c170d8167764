//! Policies with steps, and their alarms.

use serde_json::{Value, json};

use super::super::super::tests::{problems, table};
use super::{ALARM, STEP, at, scaled, scaled_on_fargate, section};

#[test]
fn steps_without_gap_and_overlap() {
    let step = |lower: Option<f64>, upper: Option<f64>, change: i32| {
        let mut value = json!({ "scalingAdjustment": change });
        for (key, bound) in [("metricIntervalLowerBound", lower), ("metricIntervalUpperBound", upper)] {
            if let Some(bound) = bound {
                value[key] = json!(bound);
            }
        }
        value
    };
    let up = |steps: &[(Option<f64>, Option<f64>)]| -> Value {
        steps.iter().map(|(lower, upper)| step(*lower, *upper, 1)).collect()
    };
    let (zero, ten, twenty) = (Some(0.0), Some(10.0), Some(20.0));
    let fine: Vec<_> = (0..20).map(|n| (Some(f64::from(n)), (n < 19).then(|| f64::from(n + 1)))).collect();
    let more: Vec<_> = (0..21).map(|n| (Some(f64::from(n)), (n < 20).then(|| f64::from(n + 1)))).collect();
    table(
        scaled,
        &[
            (&at(STEP, "steps"), up(&[(ten, None), (zero, ten)]), ""),
            (&at(STEP, "steps"), up(&[(zero, ten), (twenty, None)]), "a gap, from 10 to 20"),
            (&at(STEP, "steps"), up(&[(zero, twenty), (ten, None)]), "steps 0 and 1 overlap"),
            (&at(STEP, "steps"), up(&[(zero, None), (ten, None)]), "steps 0 and 1 overlap"),
            (&at(STEP, "steps"), up(&[(zero, ten)]), "more than 10 above the threshold"),
            (&at(STEP, "steps"), up(&[(Some(-5.0), None)]), "more than 5 below the threshold"),
            (&at(STEP, "steps"), up(&[(None, ten), (ten, None)]), ""),
            (&at(STEP, "steps"), up(&[(None, None)]), "neither a lower nor an upper bound"),
            (&at(STEP, "steps"), up(&[(ten, ten), (ten, None)]), "not below the upper bound"),
            (&at(STEP, "steps"), up(&[(None, zero)]), "the alarm fires above the threshold only"),
            (&at(STEP, "steps"), up(&[]), "1 to 20 steps, not 0"),
            (&at(STEP, "steps"), up(&fine), ""),
            (&at(STEP, "steps"), up(&more), "1 to 20 steps, not 21"),
            (&at(STEP, "steps"), json!([step(zero, None, 0)]), "no step changes the count"),
            (&at(STEP, "steps"), json!([step(zero, ten, 0), step(ten, None, 1)]), ""),
            (&at(STEP, "minAdjustmentMagnitude"), json!(2), "only a change in percent"),
        ],
    );
}

#[test]
fn steps_go_with_their_alarm_and_their_type() {
    let fall = |operator: &str, steps: Value, adjustment: &str| {
        let mut value = scaled();
        let policy = &mut value["spec"]["scaling"]["step"][0];
        (policy["adjustmentType"], policy["steps"]) = (json!(adjustment), steps);
        policy["alarm"]["comparisonOperator"] = json!(operator);
        problems(value)
    };
    let below = || json!([{ "metricIntervalUpperBound": 0, "scalingAdjustment": -1 }]);
    let above = || json!([{ "metricIntervalLowerBound": 0, "scalingAdjustment": -1 }]);
    let none = json!([{ "metricIntervalUpperBound": 0, "scalingAdjustment": 0 }]);
    for (operator, steps, adjustment, expected) in [
        ("LessThanThreshold", below(), "ChangeInCapacity", ""),
        ("LessThanThreshold", above(), "ChangeInCapacity", "fires below the threshold only"),
        ("LessThanOrEqualToThreshold", above(), "ChangeInCapacity", ""),
        ("GreaterThanOrEqualToThreshold", below(), "PercentChangeInCapacity", "fires at or above the threshold only"),
        ("LessThanThreshold", below(), "ExactCapacity", "a service cannot have -1 tasks"),
        ("LessThanThreshold", none.clone(), "ExactCapacity", ""),
        ("LessThanThreshold", none, "PercentChangeInCapacity", "no step changes the count"),
    ] {
        let found = fall(operator, steps, adjustment);
        let as_expected =
            if expected.is_empty() { found.is_empty() } else { found.len() == 1 && found[0].contains(expected) };
        assert!(as_expected, "{operator} {adjustment}: expected {expected:?}, found {found:#?}");
    }
    let mut percent = scaled();
    percent["spec"]["scaling"]["step"][0]["adjustmentType"] = json!("PercentChangeInCapacity");
    for (magnitude, found) in [(1, 0), (0, 1), (5001, 1)] {
        percent["spec"]["scaling"]["step"][0]["minAdjustmentMagnitude"] = json!(magnitude);
        assert_eq!(problems(percent.clone()).len(), found, "minAdjustmentMagnitude {magnitude}");
    }
}

#[test]
fn alarms() {
    let of_orders = |period: u32| {
        let mut alarm = section()["step"][0]["alarm"].clone();
        (alarm["namespace"], alarm["dimensions"], alarm["period"]) = (json!("Orders"), json!({}), json!(period));
        alarm
    };
    let looking_back = |period: u32, periods: u32| {
        let mut alarm = of_orders(period);
        alarm["evaluationPeriods"] = json!(periods);
        alarm
    };
    table(
        scaled,
        &[
            (&at(ALARM, "period"), json!(0), "no period of 0 seconds"),
            (&at(ALARM, "period"), json!(90), "no period of 90 seconds"),
            (&at(ALARM, "period"), json!(300), ""),
            (&at(ALARM, "period"), json!(20), ""),
            (&at(ALARM, "period"), json!(10), "have a value a minute"),
            (ALARM, of_orders(10), ""),
            (ALARM, looking_back(60, 1440), ""),
            (ALARM, looking_back(60, 1441), "an alarm looks back 86400 at most"),
            (ALARM, looking_back(3600, 168), ""),
            (ALARM, looking_back(3600, 169), "an alarm looks back 604800 at most"),
            (&at(ALARM, "evaluationPeriods"), json!(0), "decide nothing"),
            (&at(ALARM, "datapointsToAlarm"), json!(3), "3 of 2 periods"),
            (&at(ALARM, "datapointsToAlarm"), json!(0), "0 of 2 periods"),
            (&at(ALARM, "datapointsToAlarm"), json!(1), ""),
            (&at(ALARM, "statistic"), json!("p99.9"), ""),
            (&at(ALARM, "statistic"), json!("average"), "not allowed"),
        ],
    );
    table(
        scaled_on_fargate,
        &[
            (&at(ALARM, "threshold"), json!(100), "a threshold of 100 never fires"),
            (&at(ALARM, "threshold"), json!(99), ""),
        ],
    );
    table(scaled, &[(&at(ALARM, "threshold"), json!(150), "")]);
}
