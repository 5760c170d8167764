//! The only place that reads the clocks. Everything else gets the time from a [`Clock`].

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use jiff::{SignedDuration, Timestamp};

/// A pair of clocks that can be replaced; clones share them. The wall clock says what time it is and may be set by anybody; the
/// steady one says only how much time has passed, and nobody can set it.
#[derive(Clone)]
pub struct Clock {
    wall: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    steady: Arc<dyn Fn() -> SignedDuration + Send + Sync>,
}

impl Clock {
    /// A wall clock that asks `wall`, beside this machine's steady one.
    pub fn new(wall: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        let start = Instant::now();
        Clock::of(wall, move || SignedDuration::try_from(start.elapsed()).unwrap_or(SignedDuration::MAX))
    }

    /// A wall clock that asks `wall`, and a steady one that asks `steady` for the time since some moment.
    pub fn of(
        wall: impl Fn() -> Timestamp + Send + Sync + 'static,
        steady: impl Fn() -> SignedDuration + Send + Sync + 'static,
    ) -> Self {
        Clock { wall: Arc::new(wall), steady: Arc::new(steady) }
    }

    /// This machine's clocks.
    #[expect(clippy::disallowed_methods, reason = "the edge that reads the clock")]
    pub fn system() -> Self {
        Clock::new(Timestamp::now)
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        (self.wall)()
    }

    /// The time in milliseconds since the Unix epoch.
    pub fn now_ms(&self) -> i64 {
        self.now().as_millisecond()
    }

    /// Both clocks, read together.
    pub(crate) fn reading(&self) -> Reading {
        Reading { wall: self.now(), steady: (self.steady)() }
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

/// What both clocks said at one moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reading {
    pub wall: Timestamp,
    pub steady: SignedDuration,
}

/// What other servers last said of the time, in their `Date` header, and when that was by the steady clock.
///
/// It never corrects anything. It only tells a message that is outside the time window because it is old from one that looks so
/// because this machine's clock is wrong. The wall clock may jump at any moment, so it is judged against the steady one each time.
#[derive(Debug, Default)]
pub struct Skew(Mutex<Option<Evidence>>);

#[derive(Debug, Clone, Copy)]
struct Evidence {
    theirs: Timestamp,
    steady: SignedDuration,
}

const SUSPECT: SignedDuration = SignedDuration::from_mins(1);
/// How old the evidence is before somebody is asked again: a machine that slept comes back with a steady clock that stood still.
const ASK_AGAIN: SignedDuration = SignedDuration::from_mins(1);

impl Skew {
    /// Notes a server's `Date` header. A header that is no date is ignored.
    pub(crate) fn note(&self, date: &str, now: Reading) {
        if let Ok(theirs) = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(date) {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Evidence { theirs, steady: now.steady });
        }
    }

    /// Whether this machine's clock agrees, now, with the last server that was asked. None while none was.
    pub(crate) fn is_trustworthy(&self, now: Reading) -> Option<bool> {
        let Evidence { theirs, steady } = self.evidence()?;
        let expected = theirs.checked_add(now.steady - steady).ok()?;
        Some(now.wall.duration_since(expected).abs() <= SUSPECT)
    }

    /// Whether it is time to ask somebody again.
    pub(crate) fn is_old(&self, now: Reading) -> bool {
        self.evidence().is_none_or(|evidence| now.steady - evidence.steady > ASK_AGAIN)
    }

    fn evidence(&self) -> Option<Evidence> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(wall: &str, steady_s: i64) -> Reading {
        Reading { wall: wall.parse().unwrap(), steady: SignedDuration::from_secs(steady_s) }
    }

    #[test]
    fn skew_is_suspect_beyond_a_minute() {
        let now = reading("2026-11-22T20:00:00Z", 0);
        let skew = Skew::default();
        assert_eq!(skew.is_trustworthy(now), None);
        for (date, suspect) in [
            ("Sun, 22 Nov 2026 20:00:30 GMT", false),
            ("Sun, 22 Nov 2026 20:02:00 GMT", true),
            ("rubbish", true),
            ("Sun, 22 Nov 2026 19:59:30 GMT", false),
            ("Sun, 22 Nov 2026 19:58:00 GMT", true),
        ] {
            skew.note(date, now);
            assert_eq!(skew.is_trustworthy(now), Some(!suspect), "{date}");
        }
    }

    #[test]
    fn w19_a_clock_that_jumps_after_the_evidence_is_suspect_until_it_is_back() {
        let skew = Skew::default();
        skew.note("Sun, 22 Nov 2026 20:00:00 GMT", reading("2026-11-22T20:00:00Z", 100));
        for (wall, steady_s, trustworthy) in [
            ("2026-11-22T21:00:00Z", 3700, true),
            ("2026-11-22T19:50:00Z", 100, false),
            ("2026-11-22T23:00:00Z", 130, false),
            ("2026-11-22T20:00:30Z", 130, true),
        ] {
            assert_eq!(skew.is_trustworthy(reading(wall, steady_s)), Some(trustworthy), "{wall} {steady_s}");
        }
        assert!(
            !skew.is_old(reading("2026-11-22T23:00:00Z", 130)) && skew.is_old(reading("2026-11-22T20:02:00Z", 220))
        );
    }
}
