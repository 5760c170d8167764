//! Where transitions go: into the log, and to whoever listens.

use std::sync::{Mutex, PoisonError};

use tokio::sync::broadcast;

use super::{Tone, Transition};

/// Transitions that a listener may lag behind before it loses the oldest.
const KEPT: usize = 256;

/// Takes transitions in the order in which they are seen, and hands them on.
#[derive(Debug)]
pub struct Record {
    latest: Mutex<Option<Transition>>,
    sender: broadcast::Sender<Transition>,
}

impl Default for Record {
    fn default() -> Self {
        Self { latest: Mutex::default(), sender: broadcast::Sender::new(KEPT) }
    }
}

impl Record {
    /// Takes one: it is a line of the log, with `app`, `kind` and `tone` as its fields, and goes to all listeners.
    pub fn add(&self, transition: Transition) {
        let Transition { app, kind, cause, .. } = &transition;
        let app = app.as_ref().map(tracing::field::display);
        let (kind, tone) = (kind.words(), kind.tone());
        match tone {
            Tone::Bad => tracing::warn!(app, kind, tone = tone.word(), "{cause}"),
            _ => tracing::info!(app, kind, tone = tone.word(), "{cause}"),
        }
        *self.latest.lock().unwrap_or_else(PoisonError::into_inner) = Some(transition.clone());
        // Nobody listens: it is in the log nevertheless.
        let _ = self.sender.send(transition);
    }

    /// The last one.
    #[must_use]
    pub fn latest(&self) -> Option<Transition> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Listens to those that come from now on.
    #[must_use]
    pub fn listen(&self) -> broadcast::Receiver<Transition> {
        self.sender.subscribe()
    }
}
