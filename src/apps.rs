//! Which apps a person means by a name: those of the manifests, and those that only AWS knows, by their marks.

use std::collections::BTreeMap;
use std::path::Path;

use interstella_controller::app::AppName;
use interstella_controller::controller::place;
use interstella_controller::desired::{Desired, Presence};
use interstella_controller::lock::{self, Holder};
use interstella_controller::operate;

use crate::failure::Failure;
use crate::session::Session;
use crate::verb::Context;
use crate::{manifests, output, running};

/// The one app that `text` (a name, or CLUSTER/NAME) means: as the manifests at `path` say, or, where there are none or none of
/// them declares it, whatever of it carries our marks in AWS.
pub async fn named(context: &Context, session: &Session, text: &str, path: &Path) -> Result<Desired, Failure> {
    let mut declared = if path.exists() { session.present(&manifests::require(context, path)?) } else { Vec::new() };
    let app = meant(declared.iter().map(|one| one.marks.app.clone()), text)?;
    declared.retain(|one| Some(&one.marks.app) == app.as_ref());
    if let Some(desired) = declared.pop() {
        return Ok(desired);
    }
    let nowhere = format!("there is no app {text:?}, neither in {} nor, by its tags, in AWS", path.display());
    let desired = marked(session, text, Presence::Undeclared, nowhere).await?;
    if let Some(Some(Holder { url: Some(url), .. })) = holder(context, session, &desired.marks.app)? {
        output::note(format_args!(
            "the controller that manages it, and has its manifest, shows it at {url}/api/v1/apps"
        ));
    }
    Ok(desired)
}

/// The one app that `text` means by its marks in AWS. `nowhere` says for people where it was looked for, if it is not there.
pub async fn marked(session: &Session, text: &str, presence: Presence, nowhere: String) -> Result<Desired, Failure> {
    let there = everything(session).await?;
    match meant(there.keys().cloned(), text)? {
        Some(app) => Ok(Desired::by_marks(app, &session.manager, presence)),
        None => Err(unknown(nowhere, &there.into_keys().collect::<Vec<_>>())),
    }
}

/// Every app of this manager, by the marks alone.
pub async fn all(session: &Session) -> Result<Vec<Desired>, Failure> {
    let there = everything(session).await?;
    output::note("no manifest is named, so these are the apps that AWS has by their tags (-f names one)");
    Ok(there.into_keys().map(|app| Desired::by_marks(app, &session.manager, Presence::Undeclared)).collect())
}

/// Who manages an app on this machine, if anybody does.
pub fn holder(context: &Context, session: &Session, app: &AppName) -> Result<Option<Option<Holder>>, Failure> {
    let directory = running::runtime_folder(&context.environment);
    let path = lock::path(&directory, &place(&session.aws, &session.identity), app);
    lock::holder(&path).map_err(|error| {
        Failure::because(format!("cannot tell from {} whether {app} is managed", path.display()), &error)
    })
}

/// Every app of this manager, and how many resources of it there are.
pub async fn everything(session: &Session) -> Result<BTreeMap<AppName, usize>, Failure> {
    let found = operate::apps(&session.aws, &session.manager).await;
    found.map_err(|error| Failure::because("cannot look for apps by their tags", &error))
}

/// The one of `apps` that `text` means, if any.
fn meant(apps: impl Iterator<Item = AppName>, text: &str) -> Result<Option<AppName>, Failure> {
    let mut apps: Vec<AppName> = apps.filter(|app| app.is_meant_by(text)).collect();
    if apps.len() > 1 {
        let what = format!("{text:?} may mean {}", list(&apps));
        return Err(Failure::new(what).remedy("name one of them as CLUSTER/NAME"));
    }
    Ok(apps.pop())
}

fn unknown(nowhere: String, there: &[AppName]) -> Failure {
    Failure::new(nowhere).remedy(match there {
        [] => "this manager has no app in this account and region; --manager, --region and --profile say where to look"
            .into(),
        there => format!("name one of {}, or a manifest", list(there)),
    })
}

fn list(apps: &[AppName]) -> String {
    apps.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
