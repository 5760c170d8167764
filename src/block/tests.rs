use interstella_controller::status::{AppStatus, Condition, Service};

use super::row::{State, Tasks, of_statuses, rows};
use super::*;

fn row(app: &str, revision: &str, state: State, counts: (u32, u32, u32), note: &str) -> Row {
    let (desired, running, healthy) = counts;
    let tasks = Some(Tasks { desired, running, rolled_out: running, healthy: Some(healthy) });
    Row { app: app.into(), revision: revision.into(), tasks, state, note: note.into() }
}

fn block() -> Block {
    let url = "http://interstella-7220220318.us-west-2.elb.localhost:5000";
    let rows = vec![
        row(
            "monolith",
            "interstella-monolith:12",
            State::Progressing,
            (3, 2, 1),
            "2 of 3 tasks run; (service monolith) has started 1 tasks",
        ),
        row("autoscaled", "autoscaled:1", State::Ready, (1, 1, 1), url),
        row("broken", "broken:7", State::Stalled, (10, 0, 0), "tasks failed to start: CannotPullContainerError"),
        Row { tasks: None, ..row("new", "", State::Progressing, (0, 0, 0), "create load balancer interstella") },
        row("見本", "a-family-with-a-name-that-is-much-too-long-for-it:104", State::Unreadable, (0, 0, 0), "throttled"),
    ];
    Block {
        rows,
        orders: Some(Orders { per_minute: Some(60), fulfilled: 12_345, duplicates: 0 }),
        last: Some("07:53:52 interstella/monolith: task replaced: task 4f2a9c1e stopped: Essential container in task exited (monolith: exited with 137)".into()),
        foot: vec!["Ctrl-C ends everything".into(), "http://127.0.0.1:8889/stats".into(), "http://127.0.0.1:8888/api/v1/apps".into()],
    }
}

fn shown(block: &Block, width: usize, height: usize) -> String {
    let lines = block.lines(Size { width, height }, false);
    assert!(lines.iter().all(|line| measure_text_width(line) <= width), "{lines:#?}");
    assert!(lines.len() < height.max(1), "{lines:#?}");
    lines.join("\n")
}

#[test]
fn on_eighty_columns() {
    insta::assert_snapshot!(shown(&block(), 80, 24), @r"
    ────────────────────────────────────────────────────────────────────────────────
    APP         REVISION               DESIRED RUNNING HEALTHY  ROLLOUT  STATE
    monolith    …erstella-monolith:12        3       2       1  ████░░░  progressing
    autoscaled  autoscaled:1                 1       1       1  ███████  ready
    broken      broken:7                    10       0       0  ░░░░░░░  stalled
    new                                      -       -       -  ░░░░░░░  progressing
    見本        …-too-long-for-it:104        0       0       0  ███████  unreadable
    orders   60 a minute · 12,345 fulfilled · 0 duplicates
    last     07:53:52 interstella/monolith: task replaced: task 4f2a9c1e stopped: E…
    Ctrl-C ends everything · http://127.0.0.1:8889/stats
    ");
}

#[test]
fn on_a_hundred_and_fifty_columns() {
    insta::assert_snapshot!(shown(&block(), 150, 24), @r"
    ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
    APP         REVISION                          DESIRED RUNNING HEALTHY  ROLLOUT           STATE        NOTE
    monolith    interstella-monolith:12                 3       2       1  ██████████░░░░░░  progressing  2 of 3 tasks run; (service monolith) has starte…
    autoscaled  autoscaled:1                            1       1       1  ████████████████  ready        http://interstella-7220220318.us-west-2.elb.loc…
    broken      broken:7                               10       0       0  ░░░░░░░░░░░░░░░░  stalled      tasks failed to start: CannotPullContainerError
    new                                                 -       -       -  ░░░░░░░░░░░░░░░░  progressing  create load balancer interstella
    見本        …hat-is-much-too-long-for-it:104        0       0       0  ████████████████  unreadable   throttled
    orders   60 a minute · 12,345 fulfilled · 0 duplicates
    last     07:53:52 interstella/monolith: task replaced: task 4f2a9c1e stopped: Essential container in task exited (monolith: exited with 137)
    Ctrl-C ends everything · http://127.0.0.1:8889/stats · http://127.0.0.1:8888/api/v1/apps
    ");
}

#[test]
fn one_app_without_headquarters() {
    let one = Block { rows: block().rows[..1].to_vec(), orders: None, last: None, ..block() };
    insta::assert_snapshot!(shown(&one, 80, 24), @r"
    ────────────────────────────────────────────────────────────────────────────────
    APP       REVISION                 DESIRED RUNNING HEALTHY  ROLLOUT  STATE
    monolith  interstella-monolith:12        3       2       1  ████░░░  progressing
    Ctrl-C ends everything · http://127.0.0.1:8889/stats
    ");
}

#[test]
fn what_needs_a_look_is_shown_when_there_is_no_room_for_all() {
    let many = (0..40).map(|number| row(&format!("app-{number}"), "f:1", State::Ready, (1, 1, 1), ""));
    let rows = many.chain(block().rows).collect();
    insta::assert_snapshot!(shown(&Block { rows, ..block() }, 80, 12), @r"
    ────────────────────────────────────────────────────────────────────────────────
    APP         REVISION               DESIRED RUNNING HEALTHY  ROLLOUT  STATE
    broken      broken:7                    10       0       0  ░░░░░░░  stalled
    見本        …-too-long-for-it:104        0       0       0  ███████  unreadable
    monolith    …erstella-monolith:12        3       2       1  ████░░░  progressing
    new                                      -       -       -  ░░░░░░░  progressing
    app-0       f:1                          1       1       1  ███████  ready
    and 40 more apps; a taller terminal shows them
    orders   60 a minute · 12,345 fulfilled · 0 duplicates
    last     07:53:52 interstella/monolith: task replaced: task 4f2a9c1e stopped: E…
    Ctrl-C ends everything · http://127.0.0.1:8889/stats
    ");
}

#[test]
fn it_fits_on_every_screen() {
    for width in [1, 7, 20, 40, 79, 80, 81, 120, 150, 400] {
        for height in [2, 3, 6, 24] {
            shown(&block(), width, height);
            shown(&Block::default(), width, height);
        }
    }
}

#[test]
fn colours_take_no_room() {
    let size = Size { width: 80, height: 24 };
    let (plain, colored) = (block().lines(size, false), block().lines(size, true));
    let widths = |lines: &[String]| lines.iter().map(|line| measure_text_width(line)).collect::<Vec<_>>();
    assert_eq!(widths(&plain), widths(&colored));
    assert!(colored.iter().any(|line| line.contains("\x1b[31m")), "{colored:#?}");
}

#[test]
fn one_duplicate_is_one() {
    let pen = Pen { width: 80, colors: false };
    let orders = Orders { per_minute: None, fulfilled: 1_234_567, duplicates: 1 };
    assert_eq!(orders.text(&pen), "- a minute · 1,234,567 fulfilled · 1 duplicate");
}

#[test]
fn a_status_becomes_a_row() {
    let condition = |r#type, status, message: &str| Condition {
        r#type,
        status,
        reason: "Reason",
        message: message.into(),
        last_transition_time: None,
    };
    let status = |cluster: &str, conditions| AppStatus {
        name: "monolith".into(),
        cluster: cluster.into(),
        conditions,
        service: Some(Service {
            desired: 3,
            running: 2,
            pending: 1,
            rolled_out: 1,
            healthy: Some(2),
            task_definition: "monolith:4".into(),
        }),
        scaling: None,
        endpoint: Some("http://monolith:5000".into()),
    };
    let statuses = [
        status("a", vec![condition("Ready", "True", "2 tasks run")]),
        status("b", vec![condition("Ready", "False", "2 of 3 run"), condition("Progressing", "True", "rolling\nout")]),
        status("c", vec![condition("Ready", "False", ""), condition("Stalled", "True", "no such image")]),
        status("d", vec![condition("Ready", "Unknown", "throttled")]),
    ];
    let lines: Vec<String> = rows(&of_statuses(&statuses)).iter().map(Row::line).collect();
    insta::assert_snapshot!(lines.join("\n"), @r"
    a/monolith: ready, monolith:4: 3 desired, 2 running, 2 healthy, http://monolith:5000
    b/monolith: progressing, monolith:4: 3 desired, 2 running, 2 healthy, rolling out
    c/monolith: stalled, monolith:4: 3 desired, 2 running, 2 healthy, no such image
    d/monolith: unreadable, monolith:4: 3 desired, 2 running, 2 healthy, throttled
    ");
    assert_eq!(rows(&of_statuses(&statuses[..1]))[0].app, "monolith");
}
