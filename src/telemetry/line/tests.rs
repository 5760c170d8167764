use interstella_controller::app::AppName;
use interstella_controller::transition::Kind;

use super::*;

fn transition(kind: Kind, cause: &str) -> Transition {
    let app = AppName { cluster: "interstella".into(), name: "monolith".into() };
    Transition { at: "2026-11-26T06:53:52.123456Z".parse().unwrap(), app: Some(app), kind, cause: cause.into() }
}

fn line(kind: Kind, cause: &str) -> Line {
    Line::of(&transition(kind, cause), &TimeZone::fixed(jiff::tz::offset(1)))
}

#[test]
fn a_transition_is_one_line_with_local_time() {
    let place = Place::default();
    let table = [
        (
            Kind::Converged,
            "3 of 3 tasks of monolith:1",
            "07:53:52 interstella/monolith: converged: 3 of 3 tasks of monolith:1",
        ),
        (Kind::ManifestChanged, "", "07:53:52 interstella/monolith: manifest changed"),
    ];
    for (kind, cause, expected) in table {
        assert_eq!(line(kind, cause).render(place), expected);
    }
    let at = "2026-11-26T06:53:52.123456Z".parse().unwrap();
    assert_eq!(Time::Dated.of(at, &TimeZone::fixed(jiff::tz::offset(1))), "2026-11-26T07:53:52+01:00");
}

#[test]
fn what_became_of_it_is_in_colour() {
    let place = Place { colors: true, width: None };
    let shown = line(Kind::Stalled, "no such image").render(place);
    assert!(shown.contains("\x1b[31m\x1b[1mstalled\x1b[0m: no such image"), "{shown:?}");
    let shown = line(Kind::Recovered, "").render(place);
    assert!(shown.ends_with("\x1b[32mrecovered\x1b[0m"), "{shown:?}");
}

#[test]
fn a_terminal_gets_lines_that_are_broken_between_words() {
    let long = "ECS deployment circuit breaker: tasks failed to start. CannotPullContainerError: the image is not there, 見つかりません";
    let shown = line(Kind::Stalled, long).render(Place { colors: false, width: Some(60) });
    assert!(shown.lines().all(|line| measure_text_width(line) <= 60), "{shown}");
    insta::assert_snapshot!(shown, @r"
    07:53:52 interstella/monolith: stalled: ECS deployment
             circuit breaker: tasks failed to start.
             CannotPullContainerError: the image is not there,
             見つかりません
    ");
    let word = "x".repeat(90);
    let shown = line(Kind::Stalled, &word).render(Place { colors: false, width: Some(60) });
    assert!(shown.lines().any(|line| line.trim() == word), "{shown}");
}

#[test]
fn a_warning_says_so_and_fields_stay_below() {
    let line = Line {
        time: "07:53:52".into(),
        level: Some("WARN"),
        target: Some("interstella_hq".into()),
        text: "update service monolith\n    desiredCount: 1 → 3".into(),
        ..Line::default()
    };
    let expected = "07:53:52 WARN interstella_hq: update service monolith\n    desiredCount: 1 → 3";
    assert_eq!(line.render(Place { colors: false, width: Some(80) }), expected);
}

#[test]
fn what_a_terminal_takes_for_an_order_is_shown_as_a_mark() {
    let shown = line(Kind::Stalled, "\x1b[2Jgone\r\x07").render(Place::default());
    assert!(shown.ends_with("stalled: \u{fffd}[2Jgone\u{fffd}\u{fffd}"), "{shown:?}");
}
