//! How an app is, as people read it: one line for each thing, in columns.

use std::fmt::Write as _;

use interstella_controller::status::{AppStatus, Condition};

use super::scaling;
use crate::moment::Reader;

/// The app's name, and below it everything about it.
pub fn of(status: &AppStatus, reader: &Reader) -> String {
    let mut text = format!("{}/{}", status.cluster, status.name);
    // Writing to a String does not fail.
    if let Some(service) = &status.service {
        let _ = write!(
            text,
            "\n  tasks        {} desired, {} running, {} pending, of {}",
            service.desired, service.running, service.pending, service.task_definition
        );
    }
    if let Some(scaling) = &status.scaling {
        text.push_str(&scaling::text(scaling, reader));
    }
    if let Some(endpoint) = &status.endpoint {
        let _ = write!(text, "\n  endpoint     {endpoint}");
    }
    text.push_str(&conditions(&status.conditions, reader));
    text
}

fn conditions(conditions: &[Condition], reader: &Reader) -> String {
    let since: Vec<String> = conditions.iter().map(|one| since(one, reader)).collect();
    let widest = |lengths: &mut dyn Iterator<Item = usize>| lengths.max().unwrap_or_default();
    let reasons = widest(&mut conditions.iter().map(|one| one.reason.len()));
    let times = widest(&mut since.iter().map(String::len));
    let mut text = String::new();
    for (index, (one, since)) in conditions.iter().zip(&since).enumerate() {
        let Condition { r#type, status, reason, message, last_transition_time: _ } = one;
        // An app that is stalled is not ready for the same reason, which is told once.
        let is_told = conditions[..index].iter().any(|before| before.message == *message);
        let message = if is_told { "" } else { message };
        let line = format!("  {type:<11}  {status:<7}  {reason:<reasons$}  {since:<times$}  {message}");
        text.push('\n');
        text.push_str(line.trim_end());
    }
    text
}

/// When AWS last recorded a change of the deployment, as far as it did.
fn since(condition: &Condition, reader: &Reader) -> String {
    let at = condition.last_transition_time.as_deref().and_then(|at| at.parse().ok());
    at.map(|at| format!("deployment of {}", reader.time_and_age(at))).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use interstella_controller::status::Service;
    use jiff::tz::TimeZone;

    use super::*;

    #[test]
    fn conditions_stand_in_columns_with_local_times_and_ages() {
        let condition = |r#type, status, reason, message: &str, at: Option<&str>| Condition {
            r#type,
            status,
            reason,
            message: message.to_owned(),
            last_transition_time: at.map(str::to_owned),
        };
        let at = Some("2026-11-26T07:00:00.123456Z");
        let status = AppStatus {
            name: "monolith".into(),
            cluster: "interstella".into(),
            conditions: vec![
                condition("Ready", "False", "TasksMissing", "0 of 1 task runs", at),
                condition("Deployed", "False", "RolloutIncomplete", "", at),
                condition("Progressing", "Unknown", "ReadFailed", "no answer", None),
                condition("Stalled", "Unknown", "ReadFailed", "no answer", Some("2026-11-24T07:00:00Z")),
            ],
            service: Some(Service {
                desired: 1,
                running: 0,
                pending: 1,
                rolled_out: 0,
                healthy: None,
                task_definition: "monolith:3".into(),
            }),
            scaling: None,
            endpoint: Some("http://127.0.0.1:5000".into()),
        };
        let reader = Reader { now: "2026-11-26T07:03:00Z".parse().unwrap(), zone: TimeZone::UTC };
        insta::assert_snapshot!(of(&status, &reader), @r"
        interstella/monolith
          tasks        1 desired, 0 running, 1 pending, of monolith:3
          endpoint     http://127.0.0.1:5000
          Ready        False    TasksMissing       deployment of 07:00:00 (2 min ago)           0 of 1 task runs
          Deployed     False    RolloutIncomplete  deployment of 07:00:00 (2 min ago)
          Progressing  Unknown  ReadFailed                                                      no answer
          Stalled      Unknown  ReadFailed         deployment of 2026-11-24 07:00 (2 days ago)
        ");
    }
}
