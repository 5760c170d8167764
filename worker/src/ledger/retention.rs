//! How long a record is kept: for as long as a duplicate of its order can come.
//!
//! ```text
//!   first delivery ─ written ────────────── max. message age ──────────────▶ CLOCKS ─▶ LEASE ─▶ may go
//!                    (the message is at most MAX_AHEAD younger than this)
//! ```
//! A message is taken while its timestamp is at most the maximum age behind the wall clock. The timestamp may lie ahead
//! of that clock, and the clock may be set back in between, which `CLOCKS` allows for. A duplicate that was let in at
//! the last moment may still wait for its turn, for less than a lease.

use std::time::Duration;

use jiff::SignedDuration;

use super::LEASE_MS;
use crate::clock::Reading;

/// By how much clocks may disagree over the life of a record: five minutes that a message may be ahead, and ten by
/// which somebody may set the clock back.
const CLOCKS: Duration = Duration::from_mins(15);
/// The wall clock has jumped if it is this far from where the steady one says that it should be.
const JUMP: SignedDuration = SignedDuration::from_mins(1);
const JUMP_MS: i64 = JUMP.as_secs() * 1000;

/// How long a record is kept after it was last written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention(Duration);

impl Retention {
    /// Long enough for messages that are taken up to the age `max_age`.
    pub const fn of_messages(max_age: Duration) -> Self {
        let lease = Duration::from_millis(LEASE_MS.unsigned_abs());
        Retention(max_age.saturating_add(CLOCKS).saturating_add(lease))
    }

    /// The whole time, in milliseconds.
    pub fn as_millis(self) -> i64 {
        i64::try_from(self.0.as_millis()).unwrap_or(i64::MAX)
    }

    /// The whole time, in seconds, rounded up.
    pub(super) fn as_secs(self) -> u64 {
        self.0.as_millis().div_ceil(1000).try_into().unwrap_or(u64::MAX)
    }
}

impl Default for Retention {
    /// For messages of up to two hours: twice the hour that SNS may spend on retries (AWS: SNS delivery policies).
    fn default() -> Self {
        Retention::of_messages(Duration::from_hours(2))
    }
}

/// Tells which records may go where only the wall clock's times are stored. Nobody can set the steady clock, so it
/// decides: records go only after the wall clock has run evenly with it for a whole retention. After a jump, and at a
/// start, that time begins anew; until then too much is kept, and never too little.
#[derive(Debug)]
pub(super) struct Horizon {
    retention: Retention,
    /// Since when the wall clock has run evenly.
    even_since: Reading,
}

impl Horizon {
    pub(super) fn new(retention: Retention, now: Reading) -> Self {
        Horizon { retention, even_since: now }
    }

    /// Records that were last written before this, in milliseconds since the Unix epoch, may go. None while nothing
    /// may.
    pub(super) fn before_ms(&mut self, now: Reading) -> Option<i64> {
        let passed = now.steady - self.even_since.steady;
        let drift = now.wall.duration_since(self.even_since.wall) - passed;
        if drift.abs() > JUMP {
            self.even_since = now;
            return None;
        }
        // Steps that are no jump yet are allowed for: the clock may have been behind by one when a record was written, and ahead by one now.
        let keep_ms = self.retention.as_millis().saturating_add(2 * JUMP_MS);
        let is_over = passed.as_millis() > i128::from(keep_ms);
        is_over.then(|| now.wall.as_millisecond().saturating_sub(keep_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn reading(wall_s: i64, steady_s: i64) -> Reading {
        let wall = jiff::Timestamp::from_second(1_700_000_000 + wall_s).unwrap();
        Reading { wall, steady: SignedDuration::from_secs(steady_s) }
    }

    proptest! {
        /// A record is written at some moment; the wall clock is set forward and back at others. Whenever the horizon
        /// lets it go, it has really been kept for the whole retention.
        #[test]
        fn law_nothing_goes_early_whatever_is_done_to_the_wall_clock(
            written in 0..20_000_i64,
            jumps in prop::collection::vec((1..4_000_i64, prop_oneof![-12_000..12_000_i64, -90..90_i64]), 0..6),
        ) {
            let retention = Retention::default();
            let mut horizon = Horizon::new(retention, reading(0, 0));
            let (mut steady, mut offset, mut written_ms) = (0, 0, None);
            for (after, jump) in jumps.into_iter().chain([(60_000, 0)]) {
                let end = steady + after;
                while steady < end {
                    steady += 30;
                    let now = reading(steady + offset, steady);
                    if steady >= written && written_ms.is_none() {
                        written_ms = Some((now.wall.as_millisecond(), steady));
                    }
                    let Some(before_ms) = horizon.before_ms(now) else { continue };
                    let Some((at_ms, at_steady)) = written_ms.filter(|(at_ms, _)| *at_ms < before_ms) else { continue };
                    prop_assert!((steady - at_steady) * 1000 >= retention.as_millis(), "{at_ms} went at {steady}");
                }
                offset += jump;
            }
        }
    }

    #[test]
    fn steps_that_are_no_jumps_add_up_to_less_than_what_is_allowed_for() {
        let (mut horizon, keep) = (Horizon::new(Retention::default(), reading(0, 0)), Retention::default().as_millis());
        let behind = reading(1000 - 55, 1000);
        assert_eq!(horizon.before_ms(behind), None);
        for steady in 1000 + keep / 1000 - 10..=1000 + keep / 1000 {
            let before_ms = horizon.before_ms(reading(steady + 55, steady)).unwrap_or(i64::MIN);
            assert!(before_ms <= behind.wall.as_millisecond(), "went {} s early", 1000 + keep / 1000 - steady);
        }
    }

    #[test]
    fn what_is_old_goes_when_the_clock_has_run_evenly_for_long_enough() {
        let keep = Retention::default().as_millis() / 1000 + 120;
        let mut horizon = Horizon::new(Retention::default(), reading(0, 0));
        assert_eq!(horizon.before_ms(reading(keep, keep)), None);
        assert_eq!(horizon.before_ms(reading(keep + 1, keep + 1)), Some(1_700_000_001_000));
        assert_eq!(horizon.before_ms(reading(keep + 10_800, keep + 2)), None, "set forward by hours");
        assert_eq!(horizon.before_ms(reading(keep + 4, keep + 4)), None, "and back");
        assert!(horizon.before_ms(reading(2 * keep + 5, 2 * keep + 5)).is_some());
    }
}
