//! States of an app, one after the other, and what is told of each step.

use std::collections::BTreeSet;

use serde_json::json;

use super::*;
use crate::diff::Change;
use crate::plan::{On, Summary, Verb, Waiting};
use crate::resource::service::Ended;
use crate::status::{AppStatus, Condition, Service};

/// One look at the app.
#[derive(Clone)]
struct Seen {
    edition: u64,
    status: AppStatus,
    changes: Vec<Summary>,
    waiting: Vec<Waiting>,
    ended: Vec<Ended>,
}

fn app() -> AppName {
    AppName { cluster: "interstella".into(), name: "monolith".into() }
}

fn condition(r#type: &'static str, status: &'static str, reason: &'static str, message: &str) -> Condition {
    Condition { r#type, status, reason, message: message.into(), last_transition_time: None }
}

/// An app of which one condition holds.
fn seen(holds: &'static str, reason: &'static str, message: &str, (running, desired): (u32, u32)) -> Seen {
    let state = |one| if holds == one { "True" } else { "False" };
    let of = |r#type| condition(r#type, state(r#type), reason, message);
    let service = Service {
        desired,
        running,
        pending: 0,
        rolled_out: running,
        healthy: None,
        task_definition: "monolith:1".into(),
    };
    let status = AppStatus {
        name: "monolith".into(),
        cluster: "interstella".into(),
        conditions: ["Ready", "Deployed", "Progressing", "Stalled"].map(of).into(),
        service: Some(service),
        scaling: None,
        endpoint: None,
    };
    Seen { edition: 0, status, changes: vec![], waiting: vec![], ended: vec![] }
}

fn ready(count: u32) -> Seen {
    seen("Ready", "Serving", "", (count, count))
}

fn progressing(message: &str, running: u32, desired: u32) -> Seen {
    seen("Progressing", "RollingOut", message, (running, desired))
}

fn stalled(reason: &'static str, message: &str) -> Seen {
    seen("Stalled", reason, message, (1, 1))
}

fn unread(message: &str) -> Seen {
    let mut seen = ready(1);
    seen.status.conditions = vec![condition("Ready", "Unknown", "ReadFailed", message)];
    Seen { status: AppStatus { service: None, ..seen.status }, ..seen }
}

fn ended(id: &str, is_start: bool, reason: &str) -> Ended {
    Ended { id: id.into(), at: None, is_start, reason: reason.into() }
}

fn update(fields: &[(&str, u32, u32)]) -> Summary {
    let changes = fields.iter().map(|(path, from, to)| Change::new(*path, *from, *to)).collect();
    Summary::new(Verb::Update, "service", "monolith", changes)
}

fn waiting(action: Verb, reason: &str) -> Waiting {
    Waiting { resource: "service", name: "monolith".into(), action, reason: reason.into(), on: On::Aws }
}

impl Seen {
    fn edition(self, edition: u64) -> Self {
        Self { edition, ..self }
    }

    fn changes(self, changes: Vec<Summary>) -> Self {
        Self { changes, ..self }
    }

    fn waiting(self, waiting: Vec<Waiting>) -> Self {
        Self { waiting, ..self }
    }

    fn ended(self, ended: Vec<Ended>) -> Self {
        Self { ended, ..self }
    }
}

/// What is told of each look, one paragraph a look; a look without news is a dash.
fn story(looks: &[Seen]) -> String {
    let (app, mut track, mut text) = (app(), Track::default(), Vec::new());
    for Seen { edition, status, changes, waiting, ended } in looks {
        let look = Look { app: &app, at: Timestamp::UNIX_EPOCH, edition: *edition, status, changes, waiting, ended };
        let (next, told) = track.step(&look);
        track = next;
        let told: Vec<String> = told.iter().map(ToString::to_string).collect();
        text.push(if told.is_empty() { "-".to_owned() } else { told.join("\n") });
    }
    text.join("\n")
}

#[test]
fn a_first_rollout_and_a_change_of_the_count() {
    let looks = [
        progressing("create service monolith", 0, 1),
        progressing("ECS deployment ecs-svc/1 in progress.", 0, 1),
        ready(1),
        ready(1),
        progressing("update service monolith", 1, 1).edition(1).changes(vec![update(&[("desiredCount", 1, 3)])]),
        progressing("1 of 3", 1, 3).edition(1),
        progressing("2 of 3", 2, 3).edition(1),
        ready(3).edition(1),
    ];
    insta::assert_snapshot!(story(&looks), @r"
    interstella/monolith: progressing: create service monolith
    -
    interstella/monolith: converged: 1 of 1 task of monolith:1
    -
    interstella/monolith: progressing: update service monolith
    -
    -
    interstella/monolith: converged: 3 of 3 tasks of monolith:1
    ");
}

#[test]
fn a_rollout_that_fails_and_is_mended() {
    let failed = "ECS deployment circuit breaker: tasks failed to start.\nCannotPullContainerError: not found";
    let looks = [
        ready(1),
        progressing("update service monolith", 1, 1).edition(1).changes(vec![update(&[])]),
        progressing("rolling out", 1, 1).edition(1).ended(vec![ended(
            "aaaaaaaa-1",
            true,
            "CannotPullContainerError: not found",
        )]),
        progressing("rolling out", 1, 1).edition(1).ended(vec![ended(
            "bbbbbbbb-2",
            true,
            "CannotPullContainerError: not found",
        )]),
        stalled("RolloutFailed", failed).edition(1),
        stalled("RolloutFailed", "the same, told in other words").edition(1),
        progressing("update service monolith", 1, 1).edition(2).changes(vec![update(&[])]),
        ready(1).edition(2),
        ready(1).edition(2),
    ];
    insta::assert_snapshot!(story(&looks), @r"
    interstella/monolith: converged: 1 of 1 task of monolith:1
    interstella/monolith: progressing: update service monolith
    interstella/monolith: task failed: task aaaaaaaa did not start: CannotPullContainerError: not found
    -
    interstella/monolith: stalled: ECS deployment circuit breaker: tasks failed to start. CannotPullContainerError: not found
    -
    interstella/monolith: progressing: update service monolith
    interstella/monolith: recovered: 1 of 1 task of monolith:1
    -
    ");
}

#[test]
fn what_somebody_else_changes_is_put_back() {
    let many = [("desiredCount", 3, 1), ("a", 1, 2), ("b", 1, 2), ("c", 1, 2), ("d", 1, 2)];
    let gone = Summary::new(Verb::Create, "listener", "interstella:80", vec![Change::new("port", json!(null), 80)]);
    let looks = [
        ready(1),
        progressing("update service monolith", 1, 3).changes(vec![update(&many), gone]),
        progressing("2 of 1", 2, 1),
        ready(1),
        // While it is being put back, the manifest changes: that it converges then is no correction.
        progressing("update service monolith", 1, 2).changes(vec![update(&[("desiredCount", 2, 1)])]),
        progressing("update service monolith", 1, 1).edition(1).changes(vec![update(&[])]),
        ready(3).edition(1),
        // What cannot be put back yet is drift as well.
        progressing("waiting", 3, 3).edition(1).waiting(vec![waiting(Verb::Update, "needs the listener")]),
        progressing("create listener", 3, 3).edition(1).changes(vec![update(&[])]),
        ready(3).edition(1),
        // What a rollout leaves behind is tidied up without a word.
        progressing("waiting", 3, 3).edition(1).waiting(vec![waiting(Verb::Delete, "was just done")]),
        progressing("delete task definition monolith:1", 3, 3).edition(1).changes(vec![Summary::new(
            Verb::Delete,
            "task definition",
            "monolith:1",
            vec![],
        )]),
        ready(3).edition(1),
    ];
    insta::assert_snapshot!(story(&looks), @r"
    interstella/monolith: converged: 1 of 1 task of monolith:1
    interstella/monolith: drift seen: service monolith differed: desiredCount: 3 → 1, a: 1 → 2, b: 1 → 2 and 2 more; listener interstella:80 was gone
    -
    interstella/monolith: drift corrected: 1 of 1 task of monolith:1
    interstella/monolith: drift seen: service monolith differed: desiredCount: 2 → 1
    interstella/monolith: progressing: update service monolith
    interstella/monolith: converged: 3 of 3 tasks of monolith:1
    interstella/monolith: drift seen: service monolith differs and waits: needs the listener
    -
    interstella/monolith: drift corrected: 3 of 3 tasks of monolith:1
    -
    -
    -
    ");
}

#[test]
fn tasks_end_and_their_number_is_scaled() {
    let killed = || ended("4f2a9c1e-77", false, "Essential container in task exited (monolith: exited with 137)");
    let looks = [
        ready(2),
        progressing("1 of 2 tasks run", 1, 2).ended(vec![killed()]),
        progressing("1 of 2 tasks run", 1, 2).ended(vec![killed()]),
        ready(2),
        // Replaced between two looks.
        ready(2).ended(vec![ended("5e1b-78", false, "Task failed ELB health checks in (target-group monolith)")]),
        progressing("2 of 4 tasks run", 2, 4),
        ready(4),
        ready(3),
        progressing("2 of 3 tasks run", 2, 3),
        ready(3),
    ];
    insta::assert_snapshot!(story(&looks), @r"
    interstella/monolith: converged: 2 of 2 tasks of monolith:1
    interstella/monolith: task replaced: task 4f2a9c1e stopped: Essential container in task exited (monolith: exited with 137)
    -
    interstella/monolith: converged: 2 of 2 tasks of monolith:1
    interstella/monolith: task replaced: task 5e1b-78 stopped: Task failed ELB health checks in (target-group monolith)
    interstella/monolith: scaled: from 2 to 4 tasks
    interstella/monolith: converged: 4 of 4 tasks of monolith:1
    interstella/monolith: scaled: from 4 to 3 tasks
    interstella/monolith: progressing: 2 of 3 tasks run
    interstella/monolith: converged: 3 of 3 tasks of monolith:1
    ");
}

#[test]
fn reads_and_calls_fail_and_pass() {
    let looks = [
        unread("ecs:DescribeServices: throttled"),
        unread("ecs:DescribeServices: throttled"),
        ready(1),
        unread("ecs:DescribeServices: throttled"),
        ready(1),
        // A call that fails once is made again; one that fails twice is for a person.
        stalled("CallFailed", "create listener: no such load balancer").edition(1),
        progressing("create listener", 1, 1).edition(1),
        stalled("CallFailed", "create listener: access denied").edition(1),
        stalled("CallFailed", "create listener: access denied").edition(1),
        stalled("TopicMissing", "no such topic").edition(1),
        ready(1).edition(1),
        ready(1).edition(2),
    ];
    insta::assert_snapshot!(story(&looks), @r"
    interstella/monolith: cannot be read: ecs:DescribeServices: throttled
    -
    interstella/monolith: can be read again
    interstella/monolith: converged: 1 of 1 task of monolith:1
    interstella/monolith: cannot be read: ecs:DescribeServices: throttled
    interstella/monolith: can be read again
    interstella/monolith: progressing: create listener: no such load balancer
    -
    -
    interstella/monolith: stalled: create listener: access denied
    interstella/monolith: stalled: no such topic
    interstella/monolith: recovered: 1 of 1 task of monolith:1
    interstella/monolith: converged: 1 of 1 task of monolith:1
    ");
}

#[test]
fn manifests_change_break_and_are_mended() {
    let declared = |editions: &[(&str, u64)], problems: &[&str], released: &[&str]| {
        let name = |name: &str| AppName { name: name.into(), ..app() };
        Declared {
            editions: editions.iter().map(|(app, edition)| (name(app), *edition)).collect(),
            released: released.iter().map(|app| name(app)).collect::<BTreeSet<_>>(),
            problems: problems.iter().map(ToString::to_string).collect(),
        }
    };
    let states = [
        declared(&[("a", 0), ("b", 0)], &[], &[]),
        declared(&[("a", 1), ("b", 0)], &[], &[]),
        declared(&[("a", 1), ("b", 0)], &["a.yaml:3:1: not a number\n  3 | many", "b.yaml:1:1: no kind"], &[]),
        declared(&[("a", 1), ("b", 0)], &["a.yaml:3:1: not a number\n  3 | many", "b.yaml:1:1: no kind"], &[]),
        declared(&[("a", 1), ("b", 0)], &["a.yaml:3:1: not a number"], &[]),
        declared(&[("a", 2), ("b", 0)], &[], &[]),
        declared(&[("b", 0), ("c", 0)], &[], &[]),
        declared(&[("c", 0)], &[], &["b"]),
        // Whoever takes it back says so, and why.
        declared(&[("b", 0), ("c", 0)], &[], &[]),
    ];
    let mut before = None;
    let mut text = Vec::new();
    for now in &states {
        let told: Vec<String> = of_source(before, now, Timestamp::UNIX_EPOCH).iter().map(ToString::to_string).collect();
        text.push(if told.is_empty() { "-".to_owned() } else { told.join("\n") });
        before = Some(now);
    }
    insta::assert_snapshot!(text.join("\n"), @r"
    -
    interstella/a: manifest changed
    manifest broken: a.yaml:3:1: not a number (and 1 more); the last good version stays in force
    -
    manifest broken: a.yaml:3:1: not a number; the last good version stays in force
    manifest mended: what is written is in force again
    interstella/a: manifest changed
    interstella/c: manifest changed: new here
    interstella/a: withdrawn: no manifest declares it any more; it stays as it is (to delete it: interstella destroy interstella/a)
    interstella/b: let go of: as `interstella destroy --stop` asks; a changed manifest or `apply` takes it back
    -
    ");
}

#[test]
fn a_transition_is_a_value_for_programs_too() {
    let transition = Transition {
        at: Timestamp::UNIX_EPOCH,
        app: Some(app()),
        kind: Kind::TaskReplaced,
        cause: "task 4f2a stopped".into(),
    };
    let expected = json!({
        "at": "1970-01-01T00:00:00Z", "app": "interstella/monolith", "kind": "taskReplaced", "cause": "task 4f2a stopped",
    });
    assert_eq!(json!(transition), expected);
    assert_eq!(serde_json::from_value::<Transition>(expected).unwrap(), transition);
}
