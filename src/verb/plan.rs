//! `plan`: what a pass would do, and what waits for what.

use std::fmt::Write as _;
use std::process::ExitCode;

use interstella_controller::plan::counts::Counts;
use interstella_controller::reconcile::Outcome;
use serde_json::{Value, json};

use crate::cli::ManifestPath;
use crate::failure::Failure;
use crate::manifests;
use crate::output;
use crate::session::Session;
use crate::verb::Context;

/// Exit status that says that there are changes.
const CHANGES: u8 = 2;

/// Plans and prints. Exit 0: nothing to do; 2: changes; 1: an app that cannot be read, is somebody else's, or is stalled.
pub async fn run(context: &Context, arguments: &ManifestPath) -> Result<ExitCode, Failure> {
    let manifests = manifests::require(context, &arguments.path)?;
    let session = Session::connect(&context.common).await?;
    let outcomes = session.plan(&session.present(&manifests)).await;
    let text = text(&outcomes);
    let text = if output::colors_of_results(&context.common, &context.environment) { paint(&text) } else { text };
    output::result(&context.common, &json(&outcomes), text)?;
    Ok(exit_code(&outcomes))
}

fn exit_code(outcomes: &[Outcome]) -> ExitCode {
    let blocked = |outcome: &Outcome| {
        outcome.plan.as_ref().is_none_or(|plan| !plan.conflicts.is_empty() || plan.stalled.is_some())
    };
    if outcomes.iter().any(blocked) {
        ExitCode::FAILURE
    } else if outcomes.iter().all(Outcome::is_converged) {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(CHANGES)
    }
}

/// How much there is to do in all apps together.
fn counts(outcomes: &[Outcome]) -> Counts {
    let mut counts = Counts::default();
    for outcome in outcomes {
        match &outcome.plan {
            Some(plan) => counts += plan.counts(),
            None => counts.unread += 1,
        }
    }
    counts
}

fn json(outcomes: &[Outcome]) -> Value {
    let counts = counts(outcomes);
    let apps: Vec<Value> = outcomes
        .iter()
        .map(|outcome| match (&outcome.plan, &outcome.unread) {
            (Some(plan), _) => json!(plan),
            (None, error) => json!({ "name": outcome.status.name, "cluster": outcome.status.cluster, "error": error }),
        })
        .collect();
    json!({ "apps": apps, "changes": counts.changes(), "summary": counts })
}

fn text(outcomes: &[Outcome]) -> String {
    let mut text = String::new();
    for outcome in outcomes {
        // Writing to a String does not fail.
        let _ = writeln!(text, "{}/{}:", outcome.status.cluster, outcome.status.name);
        let said = match (&outcome.plan, &outcome.unread) {
            (Some(plan), _) => format!("{plan:#}"),
            (None, Some(error)) => format!("! nothing is planned, because it could not be read: {error}"),
            (None, None) => String::new(),
        };
        for line in said.lines() {
            let _ = writeln!(text, "  {line}");
        }
    }
    let _ = write!(text, "\n{}", last_line(outcomes));
    text
}

/// `5 to create, 1 to update, 2 will follow`, or that there is nothing.
fn last_line(outcomes: &[Outcome]) -> String {
    let counts = counts(outcomes);
    if counts != Counts::default() {
        return counts.to_string();
    }
    match outcomes.len() {
        1 => "1 app is as its manifest says".to_owned(),
        many => format!("{many} apps are as their manifests say"),
    }
}

/// Colours each line's mark, as people know it from other tools.
fn paint(text: &str) -> String {
    let paint = |line: &str| {
        let rest = line.trim_start();
        let mark = rest.chars().next().unwrap_or_default();
        let Some(colour) = colour(mark).filter(|_| line.starts_with("  ") && !line.starts_with("   ")) else {
            return line.to_owned();
        };
        let (indent, rest) = line.split_at(line.len() - rest.len());
        format!("{indent}{colour}{rest}{PLAIN}")
    };
    text.lines().map(paint).collect::<Vec<_>>().join("\n")
}

const PLAIN: &str = "\x1b[0m";

/// The sequence that a terminal begins a mark's colour with (ECMA-48, "Select Graphic Rendition").
fn colour(mark: char) -> Option<&'static str> {
    match mark {
        '+' => Some("\x1b[32m"),
        '~' => Some("\x1b[33m"),
        '-' => Some("\x1b[31m"),
        '±' => Some("\x1b[35m"),
        '…' => Some("\x1b[2m"),
        '!' => Some("\x1b[1;31m"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_for_marks_and_not_for_fields() {
        let text =
            "c/a:\n  + create log group a\n      retentionDays: -1\n  ± replace service a\n  note: +\n\n1 to create";
        insta::assert_snapshot!(paint(text).escape_debug().to_string().replace("\\n", "\n"), @r"
        c/a:
          \u{1b}[32m+ create log group a\u{1b}[0m
              retentionDays: -1
          \u{1b}[35m± replace service a\u{1b}[0m
          note: +

        1 to create
        ");
    }
}
