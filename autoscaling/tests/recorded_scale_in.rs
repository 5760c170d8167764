//! A scale-in that was recorded on AWS on 2026-09-17, replayed: an idle service of two tasks, CPU at high resolution, target 50 %.
//!
//! What was recorded: the high alarm was OK after one value. The low alarm stayed in INSUFFICIENT_DATA until there were thirty
//! real values, although all of them breached; the activity began 616 s after the first task, and ended 35 s later.
#![allow(clippy::unwrap_used)]

use interstella_autoscaling::alarm::{Rule, State};
use interstella_autoscaling::combine::{Decision, Held, Policy, Reading, Situation, Suspended, Trigger, decide};
use interstella_autoscaling::cooldown::{Cooldowns, Until};
use interstella_autoscaling::series::{Bucket, Series, Statistic};
use interstella_autoscaling::tracking::{DEFAULT_COOLDOWN_SECONDS, Resolution, TargetTracking};
use jiff::Timestamp;

const PERIOD_SECONDS: u32 = 20;
const POLICY: TargetTracking = TargetTracking {
    target: 50.0,
    scale_out_cooldown_seconds: DEFAULT_COOLDOWN_SECONDS,
    scale_in_cooldown_seconds: DEFAULT_COOLDOWN_SECONDS,
    disable_scale_in: false,
};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// The state of `rule` at each whole period up to `periods`, with a value for each task in each period from the first on.
fn states(rule: &Rule, periods: i64) -> Vec<State> {
    let mut series = Series::default();
    let mut state = State::InsufficientData;
    (1..=periods)
        .map(|period| {
            let end = at(period * i64::from(PERIOD_SECONDS));
            let idle = Bucket::of_counted(0.1, 2.0);
            series.add(at((period - 1) * i64::from(PERIOD_SECONDS)), &idle);
            let points = series.points(Statistic::Average, PERIOD_SECONDS, end, rule.evaluation_range());
            state = rule.evaluate(&points, state).state;
            state
        })
        .collect()
}

#[test]
fn the_high_alarm_is_ok_after_one_value() {
    assert_eq!(states(&POLICY.high_alarm(), 3), [State::Ok; 3]);
}

#[test]
fn the_low_alarm_needs_thirty_real_values() {
    let low = POLICY.low_alarm(Resolution::High).unwrap();
    let states = states(&low, 31);
    let alarm = states.iter().position(|state| *state == State::Alarm).unwrap() + 1;
    assert_eq!(alarm, 30);
    assert!(states[..29].iter().all(|state| *state == State::InsufficientData));
    // 616 s were recorded from the first task to the activity: thirty periods and the lag of an evaluation.
    let seconds = i64::try_from(alarm).unwrap() * i64::from(PERIOD_SECONDS);
    assert!((596..=616).contains(&seconds), "{seconds}");
}

#[test]
fn the_activity_removes_one_task_and_its_cooldown_begins_with_its_end() {
    let policy = Policy::TargetTracking(POLICY);
    let readings = [Reading {
        name: "cpu",
        policy: &policy,
        high: State::Ok,
        low: Some(State::Alarm),
        value: Some(0.1),
        recent_peak: Some(0.1),
    }];
    let mut situation = Situation {
        now: at(616),
        capacity: 2,
        min_capacity: 1,
        max_capacity: 2,
        suspended: Suspended::default(),
        is_deploying: false,
        cooldowns: Cooldowns::default(),
    };
    let decision = decide(&readings, 0, Trigger::Low, &situation);
    assert_eq!(decision, Decision::Scale { to: 1, cooldown_seconds: 300 });
    situation.cooldowns.began(situation.now, 2, 1, 300);
    situation.cooldowns.ended(at(616 + 35));
    let later = Situation { now: at(700), capacity: 2, ..situation };
    let held = Held::Cooldown(Until::Moment(at(616 + 35 + 300)));
    assert_eq!(decide(&readings, 0, Trigger::Low, &later), Decision::Held(held));
}
