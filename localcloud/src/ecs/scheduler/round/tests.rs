//! Rounds as text: `n` and `o` are tasks of the new and the old deployment, followed by `s`tarting, `w`arming, `h`ealthy or
//! `u`nhealthy.

use super::*;

fn round(desired: usize, minimum_percent: usize, maximum_percent: usize, tasks: &str) -> String {
    let wish = Wish {
        desired,
        lower: (desired * minimum_percent).div_ceil(100),
        upper: desired * maximum_percent / 100,
        abandoned: false,
        paused: false,
    };
    show(&decide(&wish, &views(tasks)))
}

fn views(tasks: &str) -> Vec<TaskView> {
    let view = |(index, task): (usize, &str)| TaskView {
        id: format!("{task}{index}"),
        primary: task.starts_with('n'),
        condition: match task.chars().last() {
            Some('s') => Condition::Starting,
            Some('w') => Condition::Warming,
            Some('h') => Condition::Healthy,
            _ => Condition::Unhealthy(Cause::Containers),
        },
        created_at: CloudTime::from_millis(i64::try_from(index).unwrap()),
        instance: None,
    };
    tasks.split_whitespace().enumerate().map(view).collect()
}

fn show(round: &Round) -> String {
    let stop: Vec<&str> = round.stop.iter().map(|(id, _)| id.as_str()).collect();
    format!("start {} stop [{}]{}", round.start, stop.join(" "), if round.stuck { " stuck" } else { "" })
}

#[test]
fn an_empty_service_starts_all() {
    assert_eq!(round(3, 100, 200, ""), "start 3 stop []");
}

#[test]
fn new_tasks_start_first_and_old_ones_stop_as_they_become_healthy() {
    assert_eq!(round(2, 100, 200, "oh oh"), "start 2 stop []");
    assert_eq!(round(2, 100, 200, "oh oh ns nw"), "start 0 stop []");
    assert_eq!(round(2, 100, 200, "oh oh nh nw"), "start 0 stop [oh0]");
    assert_eq!(round(2, 100, 200, "oh nh nh"), "start 0 stop [oh0]");
}

#[test]
fn without_room_old_tasks_stop_first_down_to_the_lower_bound() {
    assert_eq!(round(2, 50, 100, "oh oh"), "start 0 stop [oh0]");
    assert_eq!(round(2, 50, 100, "oh"), "start 1 stop []");
    assert_eq!(round(1, 0, 100, "oh"), "start 0 stop [oh0]");
    assert_eq!(round(2, 50, 150, "oh oh"), "start 1 stop [oh0]");
}

#[test]
fn bounds_round_against_change_and_a_stuck_deployment_is_told() {
    assert_eq!(round(3, 100, 125, "oh oh oh"), "start 0 stop [] stuck");
    assert_eq!(round(2, 75, 100, "oh oh"), "start 0 stop [] stuck");
}

#[test]
fn old_tasks_that_serve_nobody_go_at_once() {
    assert_eq!(round(1, 100, 400, "os ow ou"), "start 1 stop [os0 ou2]");
    assert_eq!(round(1, 100, 200, "ow nh"), "start 0 stop [ow0]");
}

#[test]
fn surplus_goes_from_the_least_useful_and_the_youngest() {
    assert_eq!(round(1, 100, 200, "nh nh ns"), "start 0 stop [ns2 nh1]");
    assert_eq!(round(0, 100, 200, "nh nh"), "start 0 stop [nh1 nh0]");
}

#[test]
fn an_unhealthy_task_is_replaced_first_and_stopped_then() {
    assert_eq!(round(1, 100, 200, "nu"), "start 1 stop []");
    assert_eq!(round(1, 100, 200, "nu nw"), "start 0 stop []");
    assert_eq!(round(1, 100, 200, "nu nh"), "start 0 stop [nu0]");
}

#[test]
fn an_unhealthy_task_makes_room_where_there_is_none() {
    assert_eq!(round(1, 0, 100, "nu"), "start 0 stop [nu0]");
    assert_eq!(round(1, 100, 200, "nu nu"), "start 0 stop [nu0]");
    assert_eq!(round(1, 100, 200, "oh nu"), "start 0 stop [nu1]");
}

#[test]
fn an_abandoned_deployment_leaves_the_old_one_alone() {
    let wish = Wish { desired: 2, lower: 2, upper: 4, abandoned: true, paused: false };
    assert_eq!(show(&decide(&wish, &views("oh ow"))), "start 0 stop []");
}

#[test]
fn a_pause_stops_starting_but_nothing_else() {
    let wish = Wish { desired: 1, lower: 1, upper: 2, abandoned: false, paused: true };
    assert_eq!(show(&decide(&wish, &views(""))), "start 0 stop []");
}
