//! Cloud time: live at some speed, or advanced by hand. Nothing else in this crate asks for the time of the cloud.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// A moment of cloud time, in milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct CloudTime(i64);

impl CloudTime {
    /// A moment given in milliseconds since the epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the epoch.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Seconds since the epoch with a fraction: how awsJson writes timestamps.
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of this era fit a double exactly")]
    pub fn as_epoch_seconds(self) -> f64 {
        self.0 as f64 / 1000.0
    }

    /// The same moment as the engine of auto scaling has it.
    pub fn timestamp(self) -> jiff::Timestamp {
        let nearest = if self.0 < 0 { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX };
        jiff::Timestamp::from_millisecond(self.0).unwrap_or(nearest)
    }

    /// The moment that the engine of auto scaling has, without what is finer than milliseconds.
    pub fn from_timestamp(moment: jiff::Timestamp) -> Self {
        Self(moment.as_millisecond())
    }

    /// The moment `delay` later.
    #[must_use]
    pub fn after(self, delay: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(delay.as_millis()).unwrap_or(i64::MAX)))
    }

    /// Time passed since `earlier`, zero if that is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

/// The source of cloud time.
#[derive(Debug)]
pub enum Clock {
    /// Runs with the machine's clock, `speed` times as fast.
    Live {
        /// Cloud time at the start.
        origin: CloudTime,
        /// The machine's monotonic clock at the start.
        started: Instant,
        /// Cloud seconds in a second of the machine.
        speed: f64,
    },
    /// Stands still until advanced.
    Stepped(AtomicI64),
}

impl Clock {
    /// A clock that starts at the machine's time and runs `speed` times as fast.
    #[expect(clippy::disallowed_methods, reason = "the one place where cloud time begins")]
    pub fn live(speed: f64) -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let origin = CloudTime(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX));
        Self::Live { origin, started: Instant::now(), speed }
    }

    /// A clock that stands at `origin` until advanced.
    pub fn stepped(origin: CloudTime) -> Self {
        Self::Stepped(AtomicI64::new(origin.0))
    }

    /// Now.
    pub fn now(&self) -> CloudTime {
        match self {
            Self::Live { origin, started, speed } => origin.after(started.elapsed().mul_f64(*speed)),
            Self::Stepped(millis) => CloudTime(millis.load(Ordering::SeqCst)),
        }
    }

    /// How long the machine has to wait until cloud time is `moment`; `None` if only a step gets there.
    pub fn wall_time_until(&self, moment: CloudTime) -> Option<Duration> {
        match self {
            Self::Live { speed, .. } => Some(moment.since(self.now()).div_f64(*speed)),
            Self::Stepped(_) => (moment <= self.now()).then_some(Duration::ZERO),
        }
    }

    /// Sets a stepped clock forward to `moment`; a live clock and an earlier moment are left alone.
    pub fn step_to(&self, moment: CloudTime) {
        if let Self::Stepped(millis) = self {
            millis.fetch_max(moment.0, Ordering::SeqCst);
        }
    }
}
