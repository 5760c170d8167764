//! `apply`: passes until the cloud is as the manifests say.

use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, ValueEnum};
use interstella_controller::reconcile::Outcome;
use interstella_controller::status::AppStatus;

use crate::cli::ManifestPath;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::session::Session;
use crate::verb::{Context, status};
use crate::{manifests, output};

/// Flags of `apply`.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    manifests: ManifestPath,
    /// When it is done
    #[arg(long, value_enum, default_value_t = Wait::Deployed)]
    wait: Wait,
    /// Seconds after which it gives up waiting
    #[arg(long, default_value_t = 900)]
    timeout: u64,
}

/// When `apply` is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Wait {
    /// AWS has taken over everything that the manifest says
    Configured,
    /// The new tasks have the traffic
    Deployed,
    /// The old tasks are gone, too
    Stable,
}

/// Makes passes, shows them, and prints how the apps are.
pub async fn run(context: &Context, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let manifests = manifests::require(context, &arguments.manifests.path)?;
    let session = Session::connect(&context.common).await?;
    let mut progress = Progress::start();
    let timeout = Duration::from_secs(arguments.timeout);
    let converged = session
        .converge(session.present(&manifests), |outcome| arguments.wait.is_over(outcome), timeout, &mut progress)
        .await;
    progress.finish();
    let finished = converged?;
    for one in finished.iter().filter(|one| one.was_so) {
        output::note(format_args!("{}/{}: nothing to do", one.outcome.status.cluster, one.outcome.status.name));
    }
    let statuses: Vec<AppStatus> = finished.into_iter().map(|one| one.outcome.status).collect();
    status::print(context, &statuses)?;
    Ok(ExitCode::SUCCESS)
}

impl Wait {
    fn is_over(self, outcome: &Outcome) -> bool {
        outcome.is_converged()
            && match self {
                Self::Configured => true,
                Self::Deployed => outcome.status.is_deployed(),
                Self::Stable => outcome.status.is_ready(),
            }
    }
}
