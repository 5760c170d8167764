//! Passes against a field that is kept, not kept, and taken back by somebody, as text.

#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use super::*;
use crate::resource::service;

/// What becomes of the count that is sent.
#[derive(Debug, Clone, Copy)]
enum Cloud {
    /// It comes back as something else, each time another.
    Echoes,
    /// It is kept, and taken back by hand before every n-th pass.
    IsTakenBack(u32),
    /// It comes back as sent from the n-th call on.
    KeepsTheCall(u32),
}

fn app() -> AppName {
    AppName { cluster: "c".into(), name: "n".into() }
}

fn update(from: u32) -> Summary {
    Summary::new(Verb::Update, service::RESOURCE, "n", vec![Change::new("desiredCount", from, 1)])
}

fn plan_of(summary: Option<&Summary>) -> Plan {
    let marks = crate::app::Marks { app: app(), manager: crate::app::Manager::default() };
    let spec = service::Spec {
        launch_type: String::new(),
        task_definition: String::new(),
        desired_count: 1,
        network_configuration: None,
        load_balancers: BTreeMap::new(),
        health_check_grace_period_seconds: 0,
        deployment: None,
    };
    let update = |summary: &Summary| {
        let (marks, spec, changes) = (marks.clone(), Box::new(spec.clone()), summary.changes.clone());
        Action::from(service::Action::Update { marks, spec, after: String::new(), changes })
    };
    let (waiting, conflicts, notes) = (Vec::new(), Vec::new(), Vec::new());
    Plan { name: app(), actions: summary.map(update).into_iter().collect(), waiting, conflicts, stalled: None, notes }
}

/// The minutes in which a call is made, of passes a minute apart.
fn calls(cloud: Cloud, minutes: u32) -> Vec<u32> {
    let (mut sent, mut made) = (Sent::default(), Vec::new());
    let mut count = 5;
    for minute in 0..minutes {
        if let Cloud::IsTakenBack(every) = cloud
            && minute % every == 0
        {
            count = 5;
        }
        let now = Timestamp::from_second(i64::from(minute) * 60).unwrap();
        let summary = (count != 1).then(|| update(count));
        sent.see(&plan_of(summary.as_ref()));
        let Some(summary) = summary.filter(|summary| sent.judge(&app(), summary, now).is_none()) else { continue };
        sent.note(&app(), &summary, now);
        made.push(minute);
        count = match cloud {
            Cloud::Echoes => 100 + minute,
            Cloud::KeepsTheCall(number) if made.len() < number as usize => 7,
            Cloud::IsTakenBack(_) | Cloud::KeepsTheCall(_) => 1,
        };
    }
    made
}

#[test]
fn an_echo_is_sent_three_times_and_then_rarely() {
    assert_eq!(calls(Cloud::Echoes, 101), [0, 1, 2]);
    assert_eq!(calls(Cloud::Echoes, 4_000), [0, 1, 2, 122, 602, 2042, 3482]);
}

#[test]
fn what_somebody_takes_back_is_corrected_for_ever() {
    assert_eq!(calls(Cloud::IsTakenBack(2), 200), (0..200).step_by(2).collect::<Vec<_>>());
    assert_eq!(calls(Cloud::IsTakenBack(7), 200), (0..200).step_by(7).collect::<Vec<_>>());
}

#[test]
fn a_cloud_that_comes_to_keep_it_is_believed() {
    assert_eq!(calls(Cloud::KeepsTheCall(2), 300), [0, 1]);
    assert_eq!(calls(Cloud::KeepsTheCall(4), 300), [0, 1, 2, 122]);
}

fn thrice(summary: &Summary) -> Sent {
    let mut sent = Sent::default();
    (0..3).for_each(|_| sent.note(&app(), summary, Timestamp::UNIX_EPOCH));
    sent
}

#[test]
fn the_message_has_field_value_answer_and_remedy() {
    let echo = thrice(&update(5)).judge(&app(), &update(9), Timestamp::UNIX_EPOCH).unwrap();
    insta::assert_snapshot!(echo.explain(), @"was sent 3 times, but AWS does not answer what was sent: desiredCount: sent 1, came back 9. It is tried again at 1970-01-01T02:00:00Z. Write into the manifest what AWS answers, or report this as a fault of interstella or of the endpoint; another value in the manifest is sent at once");
}

#[test]
fn another_value_is_sent_at_once() {
    let sent = thrice(&update(5));
    let change = |path: &str, to: Value| Change::new(path, json!(null), to);
    let with = |changes| Summary::new(Verb::Update, service::RESOURCE, "n", changes);
    let table = [
        (vec![change("desiredCount", json!(1))], false),
        (vec![change("desiredCount", json!(2))], true),
        (vec![change("desiredCount", json!(1)), change("taskDefinition", json!("a:2"))], true),
        (vec![], true),
    ];
    for (changes, is_made) in table {
        let summary = with(changes);
        assert_eq!(sent.judge(&app(), &summary, Timestamp::UNIX_EPOCH).is_none(), is_made, "{summary}");
    }
}

#[test]
fn a_replacement_counts_for_the_creation_that_follows() {
    let replace = Summary::removal(service::RESOURCE, "n", &[Change::new("desiredCount", 5, 1)]);
    let mut sent = Sent::default();
    let mut is_held = |minutes: i64| {
        sent.note(&app(), &update(5), Timestamp::UNIX_EPOCH);
        let now = Timestamp::from_second(minutes * 60).unwrap();
        sent.judge(&app(), &replace, now).map(|echo| (echo.times, echo.is_certain))
    };
    assert_eq!(is_held(0), Some((1, false)));
    assert_eq!(is_held(119), Some((2, true)));
    assert_eq!(is_held(8 * 60), None);
}

#[test]
fn a_clock_that_went_back_holds_nothing() {
    let before = Timestamp::from_second(-3_600).unwrap();
    assert_eq!(thrice(&update(5)).judge(&app(), &update(5), before), None);
}
