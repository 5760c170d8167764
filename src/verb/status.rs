//! `status`: how apps are, and why they are not ready.

mod scaling;
mod watch;

use std::fmt::Write as _;
use std::process::ExitCode;

use clap::Args;
use interstella_controller::desired::Desired;
use interstella_controller::observe;
use interstella_controller::status::AppStatus;
use serde_json::json;

use crate::apps;
use crate::cli::ManifestPath;
use crate::failure::Failure;
use crate::manifests;
use crate::output;
use crate::session::{Session, now};
use crate::verb::Context;

/// Flags of `status`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Only this app: its name, or CLUSTER/NAME; without a manifest it is found by its tags
    app: Option<String>,
    /// Look every two seconds until a signal comes; redraws in place on a terminal, prints what changed otherwise
    #[arg(short, long)]
    watch: bool,
    /// The manifest, or a directory of manifests
    #[command(flatten)]
    manifests: ManifestFlag,
}

/// The manifest as a flag, for verbs whose argument is an app.
#[derive(Debug, Args)]
pub struct ManifestFlag {
    /// A manifest, or a directory of manifests (*.yaml, *.yml)
    #[arg(short = 'f', long = "file", default_value = "manifests/monolith.yaml")]
    pub path: std::path::PathBuf,
}

impl From<&ManifestFlag> for ManifestPath {
    fn from(flag: &ManifestFlag) -> Self {
        Self { path: flag.path.clone() }
    }
}

/// Looks and prints. Exit 1 if an app is stalled, is somebody else's or cannot be read.
pub async fn run(context: &Context, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let session = Session::connect(&context.common).await?;
    let path = &arguments.manifests.path;
    let apps = match &arguments.app {
        Some(name) => vec![apps::named(context, &session, name, path).await?],
        None => session.present(&manifests::require(context, path)?),
    };
    if arguments.watch {
        return watch::run(context, &session, &apps).await;
    }
    let (healthy, statuses) = look(&session, &apps).await;
    print(context, &statuses)?;
    Ok(if healthy { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// How the apps are, and whether none is stalled, somebody else's or unread.
async fn look(session: &Session, apps: &[Desired]) -> (bool, Vec<AppStatus>) {
    let outcomes = session.plan(apps).await;
    let healthy = outcomes.iter().all(|outcome| outcome.unread.is_none() && !outcome.status.is_stalled());
    let mut statuses: Vec<AppStatus> = outcomes.into_iter().map(|outcome| outcome.status).collect();
    for status in &mut statuses {
        // It explains only, so what cannot be read is left out and said.
        if let Err(error) = observe::explain(&session.aws, status, now()).await {
            output::note(format_args!("{}/{}: no details of its scaling: {error}", status.cluster, status.name));
        }
    }
    (healthy, statuses)
}

/// Prints statuses.
pub fn print(context: &Context, statuses: &[AppStatus]) -> Result<(), Failure> {
    let text: Vec<String> = statuses.iter().map(text).collect();
    output::result(&context.common, &json!({ "apps": statuses }), text.join("\n"))
}

fn text(status: &AppStatus) -> String {
    let mut text = format!("{}/{}", status.cluster, status.name);
    // Writing to a String does not fail.
    if let Some(service) = &status.service {
        let _ = write!(
            text,
            "\n  tasks      {} desired, {} running, {} pending, of {}",
            service.desired, service.running, service.pending, service.task_definition
        );
    }
    if let Some(scaling) = &status.scaling {
        text.push_str(&scaling::text(scaling));
    }
    if let Some(endpoint) = &status.endpoint {
        let _ = write!(text, "\n  endpoint   {endpoint}");
    }
    for condition in &status.conditions {
        let since = condition.last_transition_time.as_deref().map(|at| format!(" since {at}")).unwrap_or_default();
        let _ = write!(text, "\n  {:<10} {} {}{since}", condition.r#type, condition.status, condition.reason);
        if !condition.message.is_empty() {
            let _ = write!(text, ": {}", condition.message);
        }
    }
    text
}
