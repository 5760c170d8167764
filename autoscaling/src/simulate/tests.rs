#![allow(clippy::unwrap_used)]
use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;
use crate::schedule::{Schedule, Span};
use crate::tracking::TargetTracking;
use jiff::tz::TimeZone;

fn load(orders_per_minute: Vec<f64>, pattern: Pattern) -> Load {
    Load { start: "2026-01-05T08:00:00Z".parse().unwrap(), orders_per_minute, pattern, seed: 1 }
}

/// A task manages 30 orders a minute.
fn service() -> Service {
    Service {
        service_time_seconds: 2.0,
        is_exponential: false,
        concurrency: Some(1),
        patience_seconds: Some(6.0),
        retry_seconds: 20.0,
        start_up_seconds: 30.0,
        late_after_seconds: 10.0,
    }
}

fn target(min_capacity: u32, max_capacity: u32, metric: Metric, value: f64) -> Target {
    let policy = TargetTracking {
        target: value,
        scale_out_cooldown_seconds: 60,
        scale_in_cooldown_seconds: 60,
        disable_scale_in: false,
    };
    Target {
        initial_capacity: min_capacity,
        min_capacity,
        max_capacity,
        suspended: Suspended::default(),
        policies: vec![Policy::tracking("orders", "service/dev/worker", metric, policy)],
        scheduled: Vec::new(),
    }
}

fn shown(simulation: &Simulation) -> String {
    let mut text = String::new();
    for activity in &simulation.activities {
        let ended = activity.ended_at.map_or("-".to_owned(), |at| at.to_string());
        let (status, description) = (activity.status().name(), activity.description());
        writeln!(text, "{} {status} by {ended}: {description}\n    {}", activity.at, activity.cause).unwrap();
        writeln!(text, "    {:?}", activity.outcome).unwrap();
    }
    for sample in simulation.samples.iter().step_by(5) {
        writeln!(text, "{sample:?}").unwrap();
    }
    writeln!(text, "{:#?}", simulation.totals).unwrap();
    text
}

#[test]
fn a_rush_is_followed_out_and_in() {
    let curve = [vec![10.0; 10], vec![120.0; 20], vec![10.0; 40]].concat();
    let simulation =
        simulate(&load(curve, Pattern::Even), &service(), &target(1, 10, Metric::RequestCountPerTarget, 20.0));
    insta::assert_snapshot!(shown(&simulation));
}

#[test]
fn a_schedule_moves_the_bounds_and_the_count_at_once() {
    let mut target = target(1, 10, Metric::RequestCountPerTarget, 20.0);
    let load = load(vec![10.0; 30], Pattern::Even);
    let action = |name: &str, schedule, min_capacity, max_capacity| Scheduled {
        name: name.to_owned(),
        schedule: Schedule::parse(schedule).unwrap(),
        zone: TimeZone::UTC,
        span: Span { start: load.start, end: None },
        min_capacity,
        max_capacity,
    };
    target.scheduled = vec![
        action("up", "cron(10 8 * * ? *)", Some(4), None),
        action("down", "at(2026-01-05T08:20:30)", Some(1), Some(2)),
    ];
    let simulation = simulate(&load, &service(), &target);
    let seen: Vec<String> = simulation
        .activities
        .iter()
        .filter(|one| !matches!(one.outcome, Outcome::NotScaled(_)))
        .map(|one| format!("{} {} {}", one.at, one.description(), one.cause))
        .collect();
    assert_eq!(
        seen,
        [
            "2026-01-05T08:10:00Z Setting min capacity to 4 and max capacity to 10 scheduled action name up was triggered",
            "2026-01-05T08:10:00Z Setting desired count to 4. minimum capacity was set to 4",
            "2026-01-05T08:20:30Z Setting min capacity to 1 and max capacity to 2 scheduled action name down was triggered",
            "2026-01-05T08:20:30Z Setting desired count to 2. maximum capacity was set to 2",
            "2026-01-05T08:21:00Z Setting desired count to 1. monitor alarm TargetTracking-service/dev/worker-AlarmLow in state ALARM triggered policy orders",
        ]
    );
}

#[test]
fn orders_come_back_while_no_task_is_healthy() {
    let mut target = target(0, 3, Metric::RequestCount, 1.0);
    target.policies.clear();
    let simulation = simulate(&load(vec![6.0; 2], Pattern::Even), &service(), &target);
    let Totals { orders, done, unfinished, late, .. } = simulation.totals;
    // The last order arrived five seconds before the end, the one before it fifteen.
    assert_eq!((orders, done, unfinished, late), (12, 0, 12, 11));
}

#[test]
fn one_central_fact_of_queues_holds() {
    // A queue with random arrivals, equal service times of 1 s and load ρ waits ρ / 2 (1 − ρ) s on average; at ρ = 0.5
    // that is half a second, so the median of the response is near 1.2 s, and few take more than 4.
    let service = Service { service_time_seconds: 1.0, patience_seconds: None, late_after_seconds: 4.0, ..service() };
    let mut target = target(1, 1, Metric::RequestCount, 1.0);
    target.policies.clear();
    let Simulation { totals, .. } = simulate(&load(vec![30.0; 2_000], Pattern::Poisson), &service, &target);
    let (median, utilisation) = (totals.median_seconds.unwrap(), totals.utilisation_percent.unwrap());
    assert!((1.0..1.4).contains(&median) && (48.0..52.0).contains(&utilisation), "{totals:?}");
    assert!(totals.late_share() < 0.02, "{totals:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn laws(
        steps in prop::collection::vec((0.0_f64..300.0, 1_usize..10), 1..5),
        (min, more) in (1_u32..4, 0_u32..12),
        value in 1.0_f64..200.0,
        is_cpu in any::<bool>(),
        seed in any::<u64>(),
    ) {
        let mut curve: Vec<f64> = steps.iter().flat_map(|(rate, minutes)| vec![*rate; *minutes]).collect();
        // Long enough for every order that waits: each task manages 30 a minute.
        let brought: f64 = curve.iter().sum();
        curve.extend(vec![0.0; (brought / 20.0) as usize + 5]);
        let metric = if is_cpu { Metric::CpuUtilization } else { Metric::RequestCountPerTarget };
        let (load, target) = (Load { seed, ..load(curve, Pattern::Poisson) }, target(min, min + more, metric, value));
        let simulation = simulate(&load, &service(), &target);
        for sample in &simulation.samples {
            prop_assert!((min..=min + more).contains(&sample.desired) && sample.running <= sample.desired);
        }
        // No order is lost, and none is done twice.
        let arrived: u64 = simulation.samples.iter().map(|sample| u64::from(sample.orders)).sum();
        let Totals { orders, done, unfinished, .. } = simulation.totals;
        prop_assert_eq!([arrived, orders, done, unfinished], [load.arrivals().count() as u64, orders, orders, 0]);
        // Nothing is taken away before fifteen values say so.
        let is_scale_in = |activity: &&Activity| activity.change().is_some_and(|(from, to)| to < from);
        for activity in simulation.activities.iter().filter(is_scale_in) {
            prop_assert!(activity.at.as_second() - load.start.as_second() >= 15 * 60);
        }
        prop_assert!(simulation.activities.windows(2).all(|pair| pair[0].at <= pair[1].at));
        prop_assert_eq!(simulate(&load, &service(), &target), simulation);
    }

    #[test]
    fn without_values_nothing_is_scaled(rate in 0.0_f64..300.0, value in 1.0_f64..100.0, initial_capacity in 1_u32..9) {
        // Slots are not counted, so that there is no utilisation: a missing value is neither low nor high.
        let service = Service { concurrency: None, ..service() };
        let target = Target { initial_capacity, ..target(1, 10, Metric::CpuUtilization, value) };
        let simulation = simulate(&load(vec![rate; 60], Pattern::Poisson), &service, &target);
        prop_assert_eq!(simulation.activities, Vec::new());
    }
}
