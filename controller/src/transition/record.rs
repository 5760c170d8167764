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

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::transition::Kind;

    #[test]
    fn whoever_listens_hears_all_in_order_and_the_last_one_stays() {
        let record = Record::default();
        let one = |kind| Transition { at: Timestamp::UNIX_EPOCH, app: None, kind, cause: String::new() };
        record.add(one(Kind::ManifestBroken));
        let mut listener = record.listen();
        record.add(one(Kind::ManifestMended));
        record.add(one(Kind::ManifestBroken));
        assert_eq!(listener.try_recv().unwrap().kind, Kind::ManifestMended);
        assert_eq!(listener.try_recv().unwrap().kind, Kind::ManifestBroken);
        assert_eq!(record.latest(), Some(one(Kind::ManifestBroken)));
    }
}
