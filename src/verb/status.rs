//! `status`: how apps are, and why they are not ready.

mod scaling;
mod text;
mod watch;

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, ValueEnum};
use interstella_controller::desired::Desired;
use interstella_controller::observe;
use interstella_controller::status::AppStatus;
use serde_json::json;

use crate::apps;
use crate::cli::ManifestPath;
use crate::failure::Failure;
use crate::manifests;
use crate::moment::Reader;
use crate::output;
use crate::session::{Session, now};
use crate::verb::Context;
use crate::verb::status::watch::Until;

/// Flags of `status`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Only this app: its name, or CLUSTER/NAME; without a manifest it is found by its tags
    app: Option<String>,
    /// Look every two seconds until a signal comes; redraws in place on a terminal, prints what changed otherwise
    #[arg(short, long)]
    watch: bool,
    /// Look every two seconds until all are so, or one needs a person
    #[arg(long, value_enum)]
    wait: Option<Wait>,
    /// Seconds after which --wait gives up
    #[arg(long, default_value_t = 900, requires = "wait")]
    timeout: u64,
    /// The manifest, or a directory of manifests
    #[command(flatten)]
    manifests: ManifestFlag,
}

/// What `--wait` waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Wait {
    /// Everything is as the manifest says, and serves
    Ready,
    /// The new tasks have the traffic; old ones may still drain
    Deployed,
}

/// Exit status that says that an app is on its way.
const PROGRESSING: u8 = 2;

const DEFAULT_MANIFEST: &str = "manifests/monolith.yaml";

/// The manifest as a flag, for verbs whose argument is an app.
#[derive(Debug, Args)]
pub struct ManifestFlag {
    /// A manifest, or a directory of manifests (*.yaml, *.yml)
    #[arg(short = 'f', long = "file", default_value = DEFAULT_MANIFEST)]
    pub path: std::path::PathBuf,
}

impl From<&ManifestFlag> for ManifestPath {
    fn from(flag: &ManifestFlag) -> Self {
        Self { path: flag.path.clone() }
    }
}

/// Looks and prints. Exit 0: all are ready; 2: at least one is on its way; 1: one is stalled, somebody else's or unreadable.
pub async fn run(context: &Context, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let session = Session::connect(&context.common).await?;
    let path = &arguments.manifests.path;
    let apps = match &arguments.app {
        Some(name) => vec![apps::named(context, &session, name, path).await?],
        // Whoever named no manifest asks for what there is.
        None if !path.exists() && path == Path::new(DEFAULT_MANIFEST) => apps::all(&session).await?,
        None => session.present(&manifests::require(context, path)?),
    };
    let until = arguments.wait.map(|wait| Until { wait, timeout: Duration::from_secs(arguments.timeout) });
    if arguments.watch || until.is_some() {
        return watch::run(context, &session, &apps, arguments.watch, until).await;
    }
    let statuses = look(&session, &apps).await;
    print(context, &statuses)?;
    Ok(Verdict::of(&statuses).exit_code())
}

/// How apps are, taken together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// Every one is as it should be and serves.
    Ready,
    /// At least one is not ready yet.
    Progressing,
    /// At least one could not be read.
    Unread,
    /// At least one needs a person.
    Stalled,
}

impl Verdict {
    fn of(statuses: &[AppStatus]) -> Self {
        if statuses.iter().any(AppStatus::is_stalled) {
            Self::Stalled
        } else if !statuses.iter().all(AppStatus::is_read) {
            Self::Unread
        } else if statuses.iter().all(AppStatus::is_ready) {
            Self::Ready
        } else {
            Self::Progressing
        }
    }

    fn exit_code(self) -> ExitCode {
        match self {
            Self::Ready => ExitCode::SUCCESS,
            Self::Progressing => ExitCode::from(PROGRESSING),
            Self::Unread | Self::Stalled => ExitCode::FAILURE,
        }
    }
}

/// How the apps are.
async fn look(session: &Session, apps: &[Desired]) -> Vec<AppStatus> {
    let outcomes = session.plan(apps).await;
    let mut statuses: Vec<AppStatus> = outcomes.into_iter().map(|outcome| outcome.status).collect();
    for status in &mut statuses {
        // It explains only, so what cannot be read is left out and said.
        if let Err(error) = observe::explain(&session.aws, status, now()).await {
            output::note(format_args!("{}/{}: no details of its scaling: {error}", status.cluster, status.name));
        }
    }
    statuses
}

/// Prints statuses.
pub fn print(context: &Context, statuses: &[AppStatus]) -> Result<(), Failure> {
    output::result(&context.common, &json!({ "apps": statuses }), text(statuses, &Reader::here()))
}

fn text(statuses: &[AppStatus], reader: &Reader) -> String {
    statuses.iter().map(|status| text::of(status, reader)).collect::<Vec<_>>().join("\n")
}
