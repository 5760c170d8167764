//! Manifests as they change on disk, for a controller: the last good version of each file, and what is wrong with the present one.

use std::path::PathBuf;
use std::sync::Arc;

use interstella_controller::controller::Input;
use interstella_controller::manifest::Manifest;
use interstella_controller::source::{Accepted, Changes, Source, SourceEvent, Timing};
use tokio::sync::watch;

use crate::failure::Failure;
use crate::manifests;
use crate::output;
use crate::verb::Context;

/// Changes a manifest on the way from the file to the controller, where this machine cannot do as it says.
pub type Adapt = Box<dyn Fn(&mut Manifest) + Send + Sync>;

/// Follows `path` for as long as the receiver lives. Returns when it has been read for the first time.
pub async fn follow(context: &Context, path: PathBuf, adapt: Adapt) -> Result<watch::Receiver<Arc<Input>>, Failure> {
    let mut source = Source::watch(&path, Timing::default());
    let mut accepted = Accepted::default();
    let (sender, receiver) = watch::channel(Arc::default());
    let context = context.clone();
    let first = source.next().await.ok_or_else(|| Failure::new(format!("{} cannot be watched", path.display())))?;
    take_in(&context, &mut accepted, first, &adapt, &sender);
    tokio::spawn(async move {
        loop {
            let event = tokio::select! {
                event = source.next() => event,
                () = sender.closed() => None,
            };
            let Some(event) = event else { break };
            take_in(&context, &mut accepted, event, &adapt, &sender);
        }
    });
    Ok(receiver)
}

fn take_in(
    context: &Context,
    accepted: &mut Accepted,
    event: SourceEvent,
    adapt: &Adapt,
    sender: &watch::Sender<Arc<Input>>,
) {
    let Changes { changed, withdrawn, problems } = accepted.update(event);
    for app in changed.keys() {
        output::note(format_args!("{app}: the manifest has changed"));
    }
    for app in withdrawn.keys() {
        output::note(format_args!(
            "{app}: no manifest declares it any more; it stays as it is (to delete it: interstella destroy {app})"
        ));
    }
    if !problems.is_empty() {
        manifests::note(context, &problems);
        output::note("nothing is changed because of that; the last good version stays in force");
    }
    let mut manifests: Vec<Manifest> = accepted.apps().into_values().collect();
    manifests.iter_mut().for_each(adapt);
    let problems = problems.iter().map(ToString::to_string).collect();
    sender.send_replace(Arc::new(Input { manifests, problems }));
}
