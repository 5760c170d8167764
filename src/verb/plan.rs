//! `plan`: what a pass would do, and what waits for what.

use std::fmt::Write as _;
use std::process::ExitCode;

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
    output::result(&context.common, &json(&outcomes), text(&outcomes))?;
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

fn json(outcomes: &[Outcome]) -> Value {
    let changes: usize =
        outcomes.iter().filter_map(|outcome| outcome.plan.as_ref()).map(|plan| plan.actions.len()).sum();
    let apps: Vec<Value> = outcomes
        .iter()
        .map(|outcome| match (&outcome.plan, &outcome.unread) {
            (Some(plan), _) => json!(plan),
            (None, error) => json!({ "name": outcome.status.name, "cluster": outcome.status.cluster, "error": error }),
        })
        .collect();
    json!({ "apps": apps, "changes": changes })
}

fn text(outcomes: &[Outcome]) -> String {
    let mut text = String::new();
    for outcome in outcomes {
        // Writing to a String does not fail.
        let _ = writeln!(text, "{}/{}:", outcome.status.cluster, outcome.status.name);
        let said = match (&outcome.plan, &outcome.unread) {
            (Some(plan), _) => plan.to_string(),
            (None, Some(error)) => format!("nothing is planned, because it could not be read: {error}"),
            (None, None) => String::new(),
        };
        for line in said.lines() {
            let _ = writeln!(text, "  {line}");
        }
    }
    text.trim_end().to_owned()
}
