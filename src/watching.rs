//! Manifests as they change on disk, for a controller: the last good version of each file, and what is wrong with the present one.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::sync::Arc;

use interstella_controller::controller::Input;
use interstella_controller::source::{Accepted, Changes, Source, SourceEvent, Timing};
use tokio::sync::watch;

use crate::failure::Failure;
use crate::manifests;
use crate::verb::Context;

/// Follows `path` for as long as the receiver lives. Returns when it has been read for the first time.
pub async fn follow(context: &Context, path: PathBuf) -> Result<watch::Receiver<Arc<Input>>, Failure> {
    let mut source = Source::watch(&path, Timing::default());
    let mut accepted = Accepted::default();
    let (sender, receiver) = watch::channel(Arc::default());
    let context = context.clone();
    let first = source.next().await.ok_or_else(|| Failure::new(format!("{} cannot be watched", path.display())))?;
    take_in(&context, &mut accepted, first, &sender);
    tokio::spawn(async move {
        loop {
            let event = tokio::select! {
                event = source.next() => event,
                () = sender.closed() => None,
            };
            let Some(event) = event else { break };
            take_in(&context, &mut accepted, event, &sender);
        }
    });
    Ok(receiver)
}

fn take_in(context: &Context, accepted: &mut Accepted, event: SourceEvent, sender: &watch::Sender<Arc<Input>>) {
    // What has changed is told by the controller, which takes it in.
    let Changes { problems, .. } = accepted.update(event);
    // Where nobody looks on, the controller's line has the first problem.
    let told = usize::from(!std::io::stderr().is_terminal());
    manifests::note(context, problems.get(told..).unwrap_or_default());
    let manifests = accepted.apps().into_values().collect();
    let problems = problems.iter().map(ToString::to_string).collect();
    sender.send_replace(Arc::new(Input { manifests, problems }));
}
