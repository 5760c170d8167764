//! The only place that reads the wall clock. Everything else gets the time from a [`Clock`].

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;

/// A clock that can be replaced; clones share it.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Clock {
    /// A clock that asks `now`.
    pub fn new(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Clock(Arc::new(now))
    }

    /// This machine's clock.
    #[expect(clippy::disallowed_methods, reason = "the edge that reads the clock")]
    pub fn system() -> Self {
        Clock::new(Timestamp::now)
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        (self.0)()
    }

    /// The time in milliseconds since the Unix epoch.
    pub fn now_ms(&self) -> i64 {
        self.now().as_millisecond()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

/// How far this machine's clock is from what other servers last said in their `Date` header.
///
/// It never corrects anything. It only tells a message that is outside the time window because it is old or forged from one that
/// looks so because this machine's clock is wrong.
#[derive(Debug)]
pub struct Skew(AtomicI64);

const UNKNOWN: i64 = i64::MIN;
const SUSPECT_MS: i64 = 60_000;

impl Default for Skew {
    fn default() -> Self {
        Skew(AtomicI64::new(UNKNOWN))
    }
}

impl Skew {
    /// Notes a server's `Date` header. A header that is no date is ignored.
    pub fn note(&self, date: &str, now: Timestamp) {
        if let Ok(theirs) = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(date) {
            self.0.store(now.as_millisecond() - theirs.as_millisecond(), Ordering::Relaxed);
        }
    }

    /// Whether this machine's clock agrees with the last server that was asked. None while none was.
    pub fn is_trustworthy(&self) -> Option<bool> {
        let skew_ms = self.0.load(Ordering::Relaxed);
        (skew_ms != UNKNOWN).then(|| skew_ms.abs() <= SUSPECT_MS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skew_is_suspect_beyond_a_minute() {
        let now: Timestamp = "2026-11-22T20:00:00Z".parse().unwrap();
        let skew = Skew::default();
        assert_eq!(skew.is_trustworthy(), None);
        for (date, suspect) in [
            ("Sun, 22 Nov 2026 20:00:30 GMT", false),
            ("Sun, 22 Nov 2026 20:02:00 GMT", true),
            ("rubbish", true),
            ("Sun, 22 Nov 2026 19:59:30 GMT", false),
            ("Sun, 22 Nov 2026 19:58:00 GMT", true),
        ] {
            skew.note(date, now);
            assert_eq!(skew.is_trustworthy(), Some(!suspect), "{date}");
        }
    }
}
