//! From a watched source to what the loop takes in: the last good manifests, and what is wrong with the files now.

use std::sync::Arc;

use tokio::sync::watch;

use super::Input;
use crate::source::{Accepted, Source};

/// Follows `source` for as long as somebody holds the receiver. Must be called in a tokio runtime.
#[must_use]
pub fn follow(mut source: Source) -> watch::Receiver<Arc<Input>> {
    let (sender, receiver) = watch::channel(Arc::new(Input::default()));
    tokio::spawn(async move {
        let mut accepted = Accepted::default();
        loop {
            let event = tokio::select! {
                event = source.next() => event,
                () = sender.closed() => None,
            };
            let Some(event) = event else { break };
            let changes = accepted.update(event);
            let problems: Vec<String> = changes.problems.iter().map(ToString::to_string).collect();
            problems.iter().for_each(|problem| tracing::warn!("{problem}"));
            let manifests = accepted.apps().into_values().collect();
            sender.send_replace(Arc::new(Input { manifests, problems }));
        }
    });
    receiver
}
