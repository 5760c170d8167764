use interstella_controller::manifest::PredefinedMetric;

use super::*;
use crate::simulate::setup::tracking;

fn scaling() -> Scaling {
    tracking((1, 10), PredefinedMetric::ALBRequestCountPerTarget, 20.0, (60, 60))
}

#[test]
fn sweeps_are_read() {
    for (text, expected) in [
        ("target=10,20.5", Ok(vec![10.0, 20.5])),
        ("target=50..200:50", Ok(vec![50.0, 100.0, 150.0, 200.0])),
        ("target=50..200", Ok((5..=20).map(|ten| f64::from(ten) * 10.0).collect())),
        ("maxCapacity=2..5", Ok(vec![2.0, 3.0, 4.0, 5.0])),
        ("scaleInCooldown=60..400:150", Ok(vec![60.0, 210.0, 360.0])),
        ("minCapacity=3..3", Ok(vec![3.0])),
        ("target=0,1", Err("above 0")),
        ("maxCapacity=1.5", Err("whole numbers")),
        ("target=200..50", Err("200..50 goes down; write 50..200")),
        ("target=1..2:0", Err("a step is above 0")),
        ("target=1..1000000:1", Err("take a larger step")),
        ("target", Err("a sweep is")),
        ("target=", Err("a sweep is")),
        ("target=a..b", Err("a sweep is")),
        ("target=-1", Err("a sweep is")),
        ("cooldown=1", Err("these can: target, minCapacity")),
    ] {
        match (axis(text), expected) {
            (Ok(axis), Ok(values)) => assert_eq!(axis.values, values, "{text}"),
            (Err(said), Err(part)) => assert!(said.contains(part), "{text}: {said}"),
            (found, _) => panic!("{text}: {found:?}"),
        }
    }
}

#[test]
fn several_sweeps_are_every_combination_that_can_be() {
    let axes = ["minCapacity=1,3", "maxCapacity=2,4"].map(|text| axis(text).unwrap());
    let all = settings(&scaling(), &axes).unwrap();
    let bounds: Vec<(u32, u32)> = all.iter().map(|(_, one)| (one.min_capacity, one.max_capacity)).collect();
    assert_eq!(bounds, [(1, 2), (1, 4), (3, 4)]);
    assert_eq!(all[2].0, [3.0, 4.0]);
    let many = ["target=1..40:1", "minCapacity=1..40:1"].map(|text| axis(text).unwrap());
    assert!(settings(&scaling(), &many).unwrap_err().to_string().contains("1600 settings"));
    let none = Scaling { target_tracking: Vec::new(), ..scaling() };
    assert!(settings(&none, &[axis("target=1").unwrap()]).unwrap_err().to_string().contains("exactly one"));
}

fn rows(points: &[(f64, f64)]) -> Vec<Row> {
    let row = |&(cost, late_share): &(f64, f64)| Row {
        values: vec![cost],
        cost,
        late_share,
        p99_seconds: None,
        task_hours: 0.0,
        most_tasks: 0,
        utilisation_percent: None,
        scalings: 0.0,
        is_on_front: false,
    };
    points.iter().map(row).collect()
}

#[test]
fn the_front_is_what_nothing_beats() {
    let mut rows = rows(&[(1.0, 0.5), (2.0, 0.1), (2.0, 0.2), (3.0, 0.1), (4.0, 0.0), (4.0, 0.0)]);
    mark_front(&mut rows);
    let marked: Vec<bool> = rows.iter().map(|row| row.is_on_front).collect();
    assert_eq!(marked, [true, true, false, false, true, true]);
}

#[test]
fn the_cheapest_that_is_good_enough_is_recommended_or_else_the_least_late() {
    for (points, expected) in [
        (vec![(3.0, 0.0), (2.0, 0.01), (1.0, 0.02)], Some(1)),
        (vec![(3.0, 0.3), (2.0, 0.2), (1.0, 0.2)], Some(2)),
        (vec![(1.0, 0.0), (1.0, 0.0)], Some(0)),
        (vec![], None),
    ] {
        assert_eq!(recommend(&rows(&points), 0.01).map(|(index, _)| index), expected, "{points:?}");
    }
}

#[test]
fn parallel_results_keep_their_order() {
    let all: Vec<usize> = (0..100).collect();
    let told = AtomicUsize::new(0);
    let doubled = in_parallel(&all, |one| one * 2, |done| _ = told.fetch_max(done, Ordering::Relaxed));
    assert_eq!(doubled, all.iter().map(|one| one * 2).collect::<Vec<_>>());
    assert_eq!(told.into_inner(), 100);
}
