//! `restart` and `retry`: a forced new deployment.

use std::process::ExitCode;

use clap::Args;
use interstella_controller::app::AppName;
use interstella_controller::desired::Presence;
use interstella_controller::operate;
use serde_json::json;

use crate::apps;
use crate::failure::Failure;
use crate::output;
use crate::session::Session;
use crate::verb::Context;
use crate::verb::status::ManifestFlag;

/// Flags of `restart` and `retry`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The app: its name, or CLUSTER/NAME
    app: String,
    #[command(flatten)]
    manifests: ManifestFlag,
}

/// Why a deployment is forced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Somebody asked for it.
    Asked,
    /// The last rollout failed.
    Stalled,
}

/// Only a manifest says whether what failed is still wanted, and whoever manages the app has it.
fn refuse_managed(context: &Context, session: &Session, app: &AppName) -> Result<(), Failure> {
    let Some(holder) = apps::holder(context, session, app)? else {
        output::note(format_args!(
            "no manifest at hand declares {app}: what failed last is tried again as it was (-f names one)"
        ));
        return Ok(());
    };
    let who = holder.map(|holder| format!(" (process {})", holder.pid)).unwrap_or_default();
    let what =
        format!("{app} is managed by a controller on this machine{who}, whose manifest says what is to be tried again");
    Err(Failure::new(what).remedy("name that manifest with -f"))
}

/// Forces the deployment and says which revision it is of.
pub async fn run(context: &Context, arguments: &Arguments, why: Why) -> Result<ExitCode, Failure> {
    let session = Session::connect(&context.common).await?;
    let desired = apps::named(context, &session, &arguments.app, &arguments.manifests.path).await?;
    let app = &desired.marks.app;
    if why == Why::Stalled && desired.presence == Presence::Undeclared {
        refuse_managed(context, &session, app)?;
    }
    let failed = |error| Failure::because(format!("no deployment of {app} was started"), &error);
    let revision = match why {
        Why::Asked => operate::restart(&session.aws, app, &session.manager).await.map(|()| None),
        Why::Stalled => operate::retry(&session.aws, &desired).await.map(Some),
    };
    let revision = revision.map_err(failed)?;
    let text = match &revision {
        Some(revision) => format!("{app}: a new deployment of {revision} was started"),
        None => format!("{app}: a new deployment was started"),
    };
    output::result(&context.common, &json!({ "app": app.to_string(), "taskDefinition": revision }), text)?;
    Ok(ExitCode::SUCCESS)
}
