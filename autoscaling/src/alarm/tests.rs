#![allow(clippy::unwrap_used)]
use proptest::prelude::*;

use super::*;

fn rule(m: u32, n: u32, missing: Missing) -> Rule {
    let comparison = Comparison::GreaterThanThreshold;
    Rule { comparison, threshold: 10.0, evaluation_periods: n, datapoints_to_alarm: m, missing }
}

/// Points from a drawing as AWS's tables have it: `0` good, `X` breaching, `-` missing, newest right.
fn range(drawing: &str) -> Vec<Point> {
    let value = |c| match c {
        '0' => Some(1.0),
        'X' => Some(20.0),
        _ => None,
    };
    let at = |index: usize| Timestamp::from_second(60 * i64::try_from(index).unwrap()).unwrap();
    drawing.chars().enumerate().map(|(index, c)| Point { at: at(index), value: value(c) }).collect()
}

/// The states for `missing`, `ignore`, `breaching` and `notBreaching`, in this order, each after `before`.
fn states(m: u32, n: u32, drawing: &str, before: State) -> [State; 4] {
    [Missing::Missing, Missing::Ignore, Missing::Breaching, Missing::NotBreaching]
        .map(|missing| rule(m, n, missing).evaluate(&range(drawing), before).state)
}

/// The tables of AWS's user guide, of all its editions.
#[test]
fn the_documented_tables_of_missing_data() {
    use State::{Alarm, InsufficientData as Unknown, Ok};
    // M, the newest five periods, then missing, ignore (None: as before), breaching, notBreaching.
    let rows = [
        (3, "0-X-X", Ok, Some(Ok), Ok, Ok),
        (3, "0----", Ok, Some(Ok), Ok, Ok),
        (3, "----0", Ok, Some(Ok), Ok, Ok),
        (3, "-----", Unknown, None, Alarm, Ok),
        (3, "0XX-X", Alarm, Some(Alarm), Alarm, Alarm),
        (3, "----X", Unknown, None, Alarm, Ok),
        (3, "X----", Alarm, None, Alarm, Ok),
        (3, "--X--", Alarm, None, Alarm, Ok),
        (2, "0-X-X", Alarm, Some(Alarm), Alarm, Alarm),
        (2, "00X0X", Alarm, Some(Alarm), Alarm, Alarm),
        (2, "0-X--", Ok, Some(Ok), Alarm, Ok),
        (2, "----0", Ok, Some(Ok), Alarm, Ok),
        (2, "----X", Unknown, None, Alarm, Ok),
        (2, "---X-", Alarm, None, Alarm, Ok),
    ];
    for (m, drawing, missing, ignore, breaching, not_breaching) in rows {
        for before in [Ok, Alarm, Unknown] {
            let wanted = [missing, ignore.unwrap_or(before), breaching, not_breaching];
            assert_eq!(states(m, 3, drawing, before), wanted, "{m} of 3, {drawing}, after {before:?}");
        }
    }
}

#[test]
fn comparisons_at_the_threshold() {
    let breached = |comparison: Comparison| [9.0, 10.0, 11.0].map(|value| comparison.is_breached(value, 10.0));
    assert_eq!(breached(Comparison::GreaterThanThreshold), [false, false, true]);
    assert_eq!(breached(Comparison::GreaterThanOrEqualToThreshold), [false, true, true]);
    assert_eq!(breached(Comparison::LessThanThreshold), [true, false, false]);
    assert_eq!(breached(Comparison::LessThanOrEqualToThreshold), [true, true, false]);
}

#[test]
fn the_values_that_decide_need_not_be_in_a_row() {
    assert_eq!(states(2, 4, "X00X", State::Ok), [State::Alarm; 4]);
    assert_eq!(states(3, 4, "X00X", State::Alarm), [State::Ok; 4]);
}

#[test]
fn reasons_are_worded_as_cloudwatch_words_them() {
    let reason = |drawing: &str| rule(3, 3, Missing::Missing).evaluate(&range(drawing), State::Ok).reason;
    assert_eq!(
        reason("00XXX"),
        "Threshold Crossed: 3 out of the last 3 datapoints [20.0 (01/01/70 00:02:00), 20.0 (01/01/70 00:03:00), \
         20.0 (01/01/70 00:04:00)] were greater than the threshold (10.0) (minimum 3 datapoints for OK -> ALARM transition)."
    );
    assert_eq!(
        reason("00XX0"),
        "Threshold Crossed: 1 out of the last 3 datapoints [1.0 (01/01/70 00:04:00)] was not greater than the threshold (10.0) \
         (minimum 1 datapoint for ALARM -> OK transition)."
    );
    assert_eq!(reason("----X"), "Insufficient Data: 2 datapoints were unknown.");
    assert_eq!(reason("---XX"), "Insufficient Data: 1 datapoint was unknown.");
}

proptest! {
    /// With nothing missing, the state is what counting says, whatever missing values would count as.
    #[test]
    fn without_gaps_the_count_decides(drawing in "[0X]{5}", m in 1_u32..=3) {
        let breaching = drawing.chars().skip(2).filter(|c| *c == 'X').count();
        let wanted = if breaching >= m as usize { State::Alarm } else { State::Ok };
        prop_assert_eq!(states(m, 3, &drawing, State::Ok), [wanted; 4]);
    }

    /// A good value never makes an alarm more likely.
    #[test]
    fn a_good_value_never_sets_off_an_alarm(drawing in "[0X-]{5}", m in 1_u32..=3, index in 0_usize..5) {
        let mut better: Vec<char> = drawing.chars().collect();
        better[index] = '0';
        let better: String = better.into_iter().collect();
        let after = states(m, 3, &better, State::Ok);
        if drawing.as_bytes()[index] == b'X' {
            for (before, after) in states(m, 3, &drawing, State::Ok).into_iter().zip(after) {
                prop_assert!(after != State::Alarm || before == State::Alarm, "{} → {}", drawing, better);
            }
        }
    }
}
