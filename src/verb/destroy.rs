//! `destroy`: removes what is ours, in order, and waits until it is gone.

use std::io::{BufRead, IsTerminal};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use interstella_controller::app::AppName;
use interstella_controller::desired::{Desired, Presence};
use interstella_controller::lock::Holder;
use interstella_controller::reconcile::Outcome;
use interstella_guard::Token;
use serde_json::json;

use crate::failure::Failure;
use crate::progress::Progress;
use crate::session::{Finished, Session};
use crate::verb::Context;
use crate::{apps, http, manifests, output, running};

/// Flags of `destroy`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// A manifest, a directory of manifests (*.yaml, *.yml), or the name of an app (NAME or CLUSTER/NAME) that is found by its tags
    #[arg(default_value = "manifests/monolith.yaml", value_name = "PATH|APP")]
    target: PathBuf,
    /// Do not ask for the names to be typed
    #[arg(short, long)]
    yes: bool,
    /// Have a controller on this machine that manages the app let go of it first
    #[arg(long)]
    stop: bool,
    /// Seconds after which it gives up waiting
    #[arg(long, default_value_t = 1800)]
    timeout: u64,
}

/// Asks, removes, and says what is gone.
pub async fn run(context: &Context, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let (session, apps) = meant(context, &arguments.target).await?;
    let directory = running::runtime_folder(&context.environment);
    for app in &apps {
        check_managed(context, &session, &directory, &app.marks.app, arguments.stop).await?;
    }
    if !arguments.yes {
        confirm(&apps)?;
    }
    let mut progress = Progress::start();
    let timeout = Duration::from_secs(arguments.timeout);
    let gone = session.converge(apps, Outcome::is_converged, timeout, &mut progress).await;
    progress.finish();
    report(context, &gone?)?;
    Ok(ExitCode::SUCCESS)
}

/// What was removed, and what was not there to be removed.
fn report(context: &Context, gone: &[Finished]) -> Result<(), Failure> {
    let name = |one: &Finished| format!("{}/{}", one.outcome.status.cluster, one.outcome.status.name);
    let destroyed: Vec<String> = gone.iter().filter(|one| !one.was_so).map(name).collect();
    let absent: Vec<String> = gone.iter().filter(|one| one.was_so).map(name).collect();
    let said = [("destroyed", &destroyed), ("nothing to remove", &absent)];
    let said = said.iter().filter(|(_, names)| !names.is_empty());
    let said: Vec<String> = said.map(|(what, names)| format!("{what}: {}", names.join(", "))).collect();
    output::result(&context.common, &json!({ "destroyed": destroyed, "absent": absent }), said.join("\n"))
}

/// What is to go: what the manifests declare, or an app that is found by its marks.
async fn meant(context: &Context, target: &Path) -> Result<(Session, Vec<Desired>), Failure> {
    if target.exists() || !may_be_a_name(target) {
        let manifests = manifests::require(context, target)?;
        let session = Session::connect(&context.common).await?;
        let apps = session.absent(&manifests);
        return Ok((session, apps));
    }
    let session = Session::connect(&context.common).await?;
    let name = target.to_string_lossy();
    let nowhere = format!("there is neither a manifest {name} nor, by its tags, an app of that name in AWS");
    let app = apps::marked(&session, &name, Presence::Absent, nowhere).await?;
    Ok((session, vec![app]))
}

/// Whether a path that does not exist can be NAME or CLUSTER/NAME. ECS's names have no dots, so a mistyped file is none.
fn may_be_a_name(target: &Path) -> bool {
    let text = target.to_string_lossy();
    let is_name =
        |part: &str| !part.is_empty() && part.chars().all(|one| one.is_ascii_alphanumeric() || "-_".contains(one));
    text.split('/').count() <= 2 && text.split('/').all(is_name)
}

/// A controller that manages the app would make everything again.
async fn check_managed(
    context: &Context,
    session: &Session,
    directory: &Path,
    app: &AppName,
    stop: bool,
) -> Result<(), Failure> {
    let holder = apps::holder(context, session, app)?;
    match holder {
        None => Ok(()),
        Some(Some(Holder { url: Some(url), .. })) if stop => release(&url, directory, app).await,
        Some(holder) => {
            let pid = holder.map(|holder| format!(" (process {})", holder.pid)).unwrap_or_default();
            let what = format!("{app} is managed by a controller on this machine{pid}, which would make it again");
            Err(Failure::new(what)
                .remedy("end that controller, or say `interstella destroy --stop` to have it let go first"))
        }
    }
}

/// Only a controller on this machine is asked: the token is for nobody else.
async fn release(url: &str, directory: &Path, app: &AppName) -> Result<(), Failure> {
    // An address and no name, of which somebody else would say where it is.
    let address = url.strip_prefix("http://").and_then(|address| address.parse::<SocketAddr>().ok());
    if !address.is_some_and(|address| address.ip().is_loopback()) {
        return Err(Failure::new(format!(
            "the controller of {app} listens at {url}, which is not this machine's loopback"
        ))
        .remedy("end that controller, and say destroy again"));
    }
    let token = Token::of_user(directory).and_then(|token| token.header().map_err(std::io::Error::other));
    let token = token.map_err(|error| Failure::because("cannot read the token of this user", &error))?;
    output::note(format_args!("asking the controller at {url} to let go of {app}"));
    let path = format!("/api/v1/apps/{}%2F{}/release", app.cluster, app.name);
    let status = http::post(url, &path, token).await?;
    if status == 200 {
        return Ok(());
    }
    Err(Failure::new(format!("the controller at {url} has not let go of {app}: HTTP {status}"))
        .remedy("end it, and say destroy again"))
}

fn confirm(apps: &[Desired]) -> Result<(), Failure> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::new("destroy asks for the name to be typed, but there is no terminal").remedy("say --yes"));
    }
    for app in apps {
        let name = &app.marks.app.name;
        output::note(format_args!("everything of {} will be deleted; type its name ({name}) to go on:", app.marks.app));
        let mut typed = String::new();
        std::io::stdin()
            .lock()
            .read_line(&mut typed)
            .map_err(|error| Failure::because("cannot read the answer", &error))?;
        if typed.trim() != name {
            return Err(Failure::new("that is not the name; nothing was deleted"));
        }
    }
    Ok(())
}
