//! What becomes of the apps, as a stream of values: an app rolls out, converges, stalls, recovers; drift is seen and corrected; a task is
//! replaced. The terminal, the log and whoever listens over HTTP are told the same. No I/O.

mod record;
mod source;
mod track;

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::app::AppName;

pub use record::Record;
pub use source::{Declared, of_source};
pub use track::{Look, Track};

/// One thing that became of an app, or of the manifests as a whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Transition {
    /// When the controller saw it.
    pub at: Timestamp,
    /// The app; absent if it concerns all manifests.
    pub app: Option<AppName>,
    /// What it became.
    pub kind: Kind,
    /// Why, or how it is now, for people; one line, empty where the kind says it all.
    pub cause: String,
}

/// What became of an app or of the manifests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// Something is under way.
    Progressing,
    /// AWS is as the manifest says and all tasks serve.
    Converged,
    /// Only a person can help.
    Stalled,
    /// It serves again after it had stalled.
    Recovered,
    /// AWS was changed by somebody else, and is being put back.
    Drifted,
    /// Drift is gone.
    Corrected,
    /// The number of tasks was changed by whoever has it: auto scaling, as a rule.
    Scaled,
    /// A task that ran has ended by itself or was found unhealthy; the service starts another.
    TaskReplaced,
    /// A task could not be started.
    TaskFailed,
    /// AWS could not be read, so nothing is planned.
    Unreadable,
    /// AWS can be read again.
    Readable,
    /// A manifest was added or changed.
    ManifestChanged,
    /// Manifests cannot be used as they are now; the last good versions stay in force.
    ManifestBroken,
    /// All manifests can be used again.
    ManifestMended,
    /// No manifest declares the app any more.
    Withdrawn,
    /// The app was let go of, because somebody asked for it.
    Released,
    /// An app that was let go of is managed again.
    TakenBack,
}

/// How a transition is to be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// All is well again or still.
    Good,
    /// Something happens that needs nobody.
    Neutral,
    /// Worth a look.
    Notable,
    /// Somebody has to help.
    Bad,
}

impl Tone {
    /// As a field of the log.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Neutral => "neutral",
            Self::Notable => "notable",
            Self::Bad => "bad",
        }
    }
}

impl Kind {
    /// What it is called, for people.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Progressing => "progressing",
            Self::Converged => "converged",
            Self::Stalled => "stalled",
            Self::Recovered => "recovered",
            Self::Drifted => "drift seen",
            Self::Corrected => "drift corrected",
            Self::Scaled => "scaled",
            Self::TaskReplaced => "task replaced",
            Self::TaskFailed => "task failed",
            Self::Unreadable => "cannot be read",
            Self::Readable => "can be read again",
            Self::ManifestChanged => "manifest changed",
            Self::ManifestBroken => "manifest broken",
            Self::ManifestMended => "manifest mended",
            Self::Withdrawn => "withdrawn",
            Self::Released => "let go of",
            Self::TakenBack => "managed again",
        }
    }

    /// How it is to be taken.
    #[must_use]
    pub fn tone(self) -> Tone {
        match self {
            Self::Converged | Self::Recovered | Self::Corrected | Self::Readable | Self::ManifestMended => Tone::Good,
            Self::Progressing | Self::Scaled | Self::ManifestChanged => Tone::Neutral,
            Self::Drifted | Self::TaskReplaced | Self::Withdrawn | Self::Released | Self::TakenBack => Tone::Notable,
            Self::Stalled | Self::TaskFailed | Self::Unreadable | Self::ManifestBroken => Tone::Bad,
        }
    }
}

impl fmt::Display for Transition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.app.iter().try_for_each(|app| write!(f, "{app}: "))?;
        f.write_str(self.kind.words())?;
        if self.cause.is_empty() { Ok(()) } else { write!(f, ": {}", self.cause) }
    }
}

#[cfg(test)]
mod tests;
