//! The only place where hq reads a clock or waits. Decisions take the time as an argument.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

/// The time of day: for dates that other programs read, and for the expiry of API keys.
#[expect(clippy::disallowed_methods, reason = "this is the edge where the clock is read")]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}

/// Measures time since it was started; a clock that is set does not move it.
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    /// Waits until `elapsed` is reached; for ever if it is `None`.
    pub(crate) async fn reached(&self, elapsed: Option<Duration>) {
        match elapsed {
            Some(elapsed) => tokio::time::sleep_until(self.0 + elapsed).await,
            None => std::future::pending().await,
        }
    }
}

/// Lets `pause` pass, where that is the fault that was asked for.
#[cfg(feature = "faults")]
#[expect(clippy::disallowed_methods, reason = "the delay is the fault")]
pub(crate) async fn pause(pause: Duration) {
    tokio::time::sleep(pause).await;
}
