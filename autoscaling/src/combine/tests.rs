#![allow(clippy::unwrap_used)]
use proptest::prelude::*;

use super::*;
use crate::step::{AdjustmentType, Aggregation, Step};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn tracks(target: f64) -> Policy {
    Policy::TargetTracking(TargetTracking {
        target,
        scale_out_cooldown_seconds: 60,
        scale_in_cooldown_seconds: 300,
        disable_scale_in: false,
    })
}

fn steps(adjustment: i32) -> Policy {
    let (lower_bound, upper_bound) = if adjustment > 0 { (Some(0.0), None) } else { (None, Some(0.0)) };
    Policy::StepScaling(StepScaling {
        adjustment_type: AdjustmentType::ChangeInCapacity,
        steps: vec![Step { lower_bound, upper_bound, adjustment }],
        cooldown_seconds: 120,
        min_adjustment_magnitude: None,
        aggregation: Aggregation::Average,
    })
}

/// A reading whose alarms are what its value says.
fn reading<'a>(name: &'a str, policy: &'a Policy, value: Option<f64>) -> Reading<'a> {
    let Policy::TargetTracking(tracking) = policy else {
        return Reading { name, policy, high: State::Ok, low: None, value: None, recent_peak: None };
    };
    let state = |breached: bool| if breached { State::Alarm } else { State::Ok };
    let high = value.map_or(State::InsufficientData, |value| state(value > tracking.target));
    let low = value.map_or(State::InsufficientData, |value| state(value < tracking.target * 0.9));
    Reading { name, policy, high, low: (!tracking.disable_scale_in).then_some(low), value, recent_peak: value }
}

fn situation(capacity: u32) -> Situation {
    Situation {
        now: at(1_000),
        capacity,
        min_capacity: 1,
        max_capacity: 10,
        suspended: Suspended::default(),
        is_deploying: false,
        cooldowns: Cooldowns::default(),
    }
}

fn to(decision: &Decision) -> Option<u32> {
    match decision {
        Decision::Scale { to, .. } => Some(*to),
        Decision::NotScaled(_) | Decision::Held(_) => None,
    }
}

#[test]
fn the_largest_capacity_wins_in_both_directions() {
    let (cpu, requests) = (tracks(50.0), tracks(100.0));
    let readings = [reading("cpu", &cpu, Some(75.0)), reading("requests", &requests, Some(200.0))];
    assert_eq!(to(&decide(&readings, 0, Trigger::High, &situation(4))), Some(8));
    let readings = [reading("cpu", &cpu, Some(10.0)), reading("requests", &requests, Some(70.0))];
    let decision = decide(&readings, 0, Trigger::Low, &situation(8));
    assert_eq!(decision, Decision::Scale { to: 6, cooldown_seconds: 300 });
}

#[test]
fn scale_in_needs_every_policy_and_scale_out_any() {
    let (cpu, requests) = (tracks(50.0), tracks(100.0));
    let readings = [reading("cpu", &cpu, Some(10.0)), reading("requests", &requests, Some(95.0))];
    assert_eq!(
        decide(&readings, 0, Trigger::Low, &situation(4)),
        Decision::Held(Held::AnotherPolicy("requests".into()))
    );
    let readings = [reading("cpu", &cpu, Some(100.0)), reading("requests", &requests, None)];
    assert_eq!(to(&decide(&readings, 0, Trigger::High, &situation(4))), Some(8));
    let readings = [reading("cpu", &cpu, Some(10.0)), reading("requests", &requests, None)];
    assert_eq!(to(&decide(&readings, 0, Trigger::Low, &situation(4))), None, "missing data is not zero");
}

#[test]
fn a_policy_that_only_scales_out_does_not_hold_back_a_scale_in() {
    let cpu = tracks(50.0);
    let Policy::TargetTracking(only_out) = tracks(100.0) else { unreachable!() };
    let only_out = Policy::TargetTracking(TargetTracking { disable_scale_in: true, ..only_out });
    let readings = [reading("cpu", &cpu, Some(10.0)), reading("requests", &only_out, Some(20.0))];
    assert_eq!(to(&decide(&readings, 0, Trigger::Low, &situation(8))), Some(2));
}

#[test]
fn bounds_hold_and_say_so() {
    let policy = tracks(100.0);
    let high = [reading("p", &policy, Some(1_000.0))];
    assert_eq!(to(&decide(&high, 0, Trigger::High, &situation(4))), Some(10));
    let decision = decide(&high, 0, Trigger::High, &situation(10));
    assert_eq!(decision, Decision::NotScaled(NotScaled::AlreadyAtMaxCapacity(10)));
    let low = [reading("p", &policy, Some(0.0))];
    assert_eq!(to(&decide(&low, 0, Trigger::Low, &situation(4))), Some(1));
    assert_eq!(decide(&low, 0, Trigger::Low, &situation(1)), Decision::NotScaled(NotScaled::AlreadyAtMinCapacity(1)));
}

#[test]
fn a_count_set_by_hand_beyond_the_bounds_counts_as_the_bound() {
    let policy = tracks(100.0);
    let bounds = Situation { min_capacity: 4, max_capacity: 8, ..situation(0) };
    let high = [reading("p", &policy, Some(150.0))];
    let low = [reading("p", &policy, Some(50.0))];
    let at_capacity = |capacity| Situation { capacity, ..bounds };
    assert_eq!(to(&decide(&high, 0, Trigger::High, &at_capacity(2))), Some(6), "out counts from the minimum");
    assert_eq!(to(&decide(&low, 0, Trigger::Low, &at_capacity(2))), None, "in below the minimum is ignored");
    assert_eq!(to(&decide(&low, 0, Trigger::Low, &at_capacity(12))), Some(4), "in counts from the maximum");
    assert_eq!(to(&decide(&high, 0, Trigger::High, &at_capacity(12))), None, "out above the maximum is ignored");
}

#[test]
fn a_deployment_holds_back_scale_in_only() {
    let policy = tracks(100.0);
    let deploying = Situation { is_deploying: true, ..situation(4) };
    let low = [reading("p", &policy, Some(10.0))];
    assert_eq!(decide(&low, 0, Trigger::Low, &deploying), Decision::Held(Held::Deployment));
    let high = [reading("p", &policy, Some(150.0))];
    assert_eq!(to(&decide(&high, 0, Trigger::High, &deploying)), Some(6));
}

#[test]
fn what_is_suspended_does_not_happen() {
    let policy = tracks(100.0);
    let low = [reading("p", &policy, Some(10.0))];
    let high = [reading("p", &policy, Some(150.0))];
    let suspended = Suspended { scale_in: true, scale_out: false, scheduled: false };
    let no_in = Situation { suspended, ..situation(4) };
    assert_eq!(decide(&low, 0, Trigger::Low, &no_in), Decision::Held(Held::Suspended));
    assert_eq!(to(&decide(&high, 0, Trigger::High, &no_in)), Some(6));
    let suspended = Suspended { scale_in: false, scale_out: true, scheduled: false };
    let no_out = Situation { suspended, ..situation(4) };
    assert_eq!(decide(&high, 0, Trigger::High, &no_out), Decision::Held(Held::Suspended));
    assert_eq!(to(&decide(&low, 0, Trigger::Low, &no_out)), Some(1));
}

#[test]
fn within_the_cooldown_of_a_scale_out_only_a_larger_one_counts() {
    let policy = tracks(100.0);
    let mut cooldowns = Cooldowns::default();
    cooldowns.began(at(900), 2, 4, 60);
    cooldowns.ended(at(980));
    let cooling = Situation { cooldowns, ..situation(4) };
    let lagging = [reading("p", &policy, Some(200.0))];
    let until = Until::Moment(at(1_040));
    assert_eq!(decide(&lagging, 0, Trigger::High, &cooling), Decision::Held(Held::Cooldown(until)));
    let larger = [reading("p", &policy, Some(300.0))];
    assert_eq!(to(&decide(&larger, 0, Trigger::High, &cooling)), Some(6));
    let over = Situation { now: at(1_040), ..cooling };
    assert_eq!(to(&decide(&lagging, 0, Trigger::High, &over)), Some(8));
}

#[test]
fn within_the_cooldown_of_a_scale_in_no_other_follows_but_a_scale_out_does() {
    let policy = tracks(100.0);
    let mut cooldowns = Cooldowns::default();
    cooldowns.began(at(900), 8, 6, 300);
    let under_way = Situation { cooldowns, ..situation(6) };
    let low = [reading("p", &policy, Some(10.0))];
    assert_eq!(decide(&low, 0, Trigger::Low, &under_way), Decision::Held(Held::Cooldown(Until::Success)));
    let high = [reading("p", &policy, Some(150.0))];
    assert_eq!(to(&decide(&high, 0, Trigger::High, &under_way)), Some(9));
}

#[test]
fn no_scale_in_that_leads_straight_to_a_scale_out() {
    let policy = tracks(100.0);
    let readings = [reading("p", &policy, Some(85.0))];
    let decision = decide(&readings, 0, Trigger::Low, &situation(2));
    assert_eq!(decision, Decision::NotScaled(NotScaled::AnticipatedFlapping));
}

#[test]
fn a_scale_in_is_measured_by_the_recent_peak() {
    let policy = tracks(100.0);
    let readings = [Reading { recent_peak: Some(60.0), ..reading("p", &policy, Some(10.0)) }];
    assert_eq!(to(&decide(&readings, 0, Trigger::Low, &situation(10))), Some(6));
}

#[test]
fn scaling_out_from_nothing_begins_with_one() {
    let policy = tracks(10.0);
    let readings = [reading("queue", &policy, Some(45.0))];
    let idle = Situation { min_capacity: 0, ..situation(0) };
    assert_eq!(to(&decide(&readings, 0, Trigger::High, &idle)), Some(5));
}

#[test]
fn a_step_adds_and_removes_what_it_says() {
    let (more, fewer, tracking) = (steps(3), steps(-2), tracks(100.0));
    let values = [80.0, 90.0];
    let trigger = Trigger::Step { values: &values, threshold: 70.0 };
    let readings = [reading("more", &more, None)];
    assert_eq!(decide(&readings, 0, trigger, &situation(4)), Decision::Scale { to: 7, cooldown_seconds: 120 });
    let trigger = Trigger::Step { values: &[10.0], threshold: 30.0 };
    // Target tracking that is not ready to scale in does not hold back a step, unless the step would flap.
    let readings = [reading("fewer", &fewer, None), reading("p", &tracking, Some(40.0))];
    assert_eq!(to(&decide(&readings, 0, trigger, &situation(5))), Some(3));
    let readings = [reading("fewer", &fewer, None), reading("p", &tracking, Some(95.0))];
    assert_eq!(decide(&readings, 0, trigger, &situation(5)), Decision::NotScaled(NotScaled::AnticipatedFlapping));
}

#[test]
fn a_bigger_step_within_a_cooldown_adds_only_the_difference() {
    let policy = Policy::StepScaling(StepScaling {
        adjustment_type: AdjustmentType::ChangeInCapacity,
        steps: vec![
            Step { lower_bound: Some(0.0), upper_bound: Some(10.0), adjustment: 1 },
            Step { lower_bound: Some(10.0), upper_bound: None, adjustment: 3 },
        ],
        cooldown_seconds: 120,
        min_adjustment_magnitude: None,
        aggregation: Aggregation::Average,
    });
    let readings = [reading("p", &policy, None)];
    let mut cooldowns = Cooldowns::default();
    cooldowns.began(at(990), 4, 5, 120);
    let cooling = Situation { cooldowns, ..situation(5) };
    let small = Trigger::Step { values: &[75.0], threshold: 70.0 };
    assert_eq!(decide(&readings, 0, small, &cooling), Decision::Held(Held::Cooldown(Until::Success)));
    let big = Trigger::Step { values: &[85.0], threshold: 70.0 };
    assert_eq!(to(&decide(&readings, 0, big, &cooling)), Some(7));
}

fn any_policy() -> impl Strategy<Value = Policy> {
    prop_oneof![(1.0_f64..500.0).prop_map(tracks), (-5_i32..=5).prop_filter("no step", |n| *n != 0).prop_map(steps)]
}

proptest! {
    /// Whatever policies say, the capacity stays within its bounds, and nothing scales in on missing data.
    #[test]
    fn capacity_stays_within_bounds(
        policies in prop::collection::vec((any_policy(), prop::option::of(0.0_f64..1_000.0)), 1..4),
        which in 0_usize..3, high in any::<bool>(), capacity in 0_u32..30, min in 0_u32..10, span in 0_u32..10,
        began in prop::option::of((0_u32..20, 0_u32..20)),
    ) {
        let readings: Vec<_> = policies.iter().map(|(policy, value)| reading("p", policy, *value)).collect();
        let invoked = which % readings.len();
        let mut cooldowns = Cooldowns::default();
        if let Some((from, to)) = began {
            cooldowns.began(at(990), from, to, 60);
        }
        let bounds = Situation { capacity, min_capacity: min, max_capacity: min + span, cooldowns, ..situation(0) };
        let values: Vec<f64> = policies[invoked].1.into_iter().collect();
        let trigger = match policies[invoked].0 {
            Policy::StepScaling(_) => Trigger::Step { values: &values, threshold: 100.0 },
            Policy::TargetTracking(_) if high => Trigger::High,
            Policy::TargetTracking(_) => Trigger::Low,
        };
        if let Some(to) = to(&decide(&readings, invoked, trigger, &bounds)) {
            prop_assert!((min..=min + span).contains(&to), "{to} of {min}..={}", min + span);
            prop_assert!(to != capacity);
            let is_tracking = trigger == Trigger::Low;
            prop_assert!(!is_tracking || readings.iter().all(|one| one.low.is_none() || one.value.is_some()));
        }
    }
}
