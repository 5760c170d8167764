//! Reading metrics: which periods may be asked for, and the three calls that ask.

mod list;
mod metric_data;
mod statistics;

use interstella_autoscaling::series::{is_period, later, period_start};
use jiff::Timestamp;

pub(super) use self::list::list;
pub(super) use self::metric_data::{metric_data, unique};
pub(super) use self::statistics::statistics;
use super::{invalid_value, validation};
use crate::call::ApiError;
use crate::clock::CloudTime;

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

/// The moment so many seconds since 1970, to the millisecond.
#[expect(clippy::cast_possible_truncation, reason = "a moment that is out of range saturates")]
pub(super) fn moment(seconds: f64) -> Timestamp {
    CloudTime::from_millis((seconds * 1000.0).round() as i64).timestamp()
}

/// The stretch of time that a call asks for.
#[derive(Debug, Clone, Copy)]
struct Span {
    start: Timestamp,
    end: Timestamp,
}

impl Span {
    fn read(start: f64, end: f64) -> Result<Self, ApiError> {
        let span = Self { start: moment(start), end: moment(end) };
        if span.start >= span.end {
            return Err(validation("The parameter StartTime must be less than the parameter EndTime."));
        }
        Ok(span)
    }

    /// The end of the last period that begins before the span's end, and the number of periods from the one that holds its start.
    fn periods(&self, seconds: u32) -> (Timestamp, u32) {
        let end = later(period_start(later(self.end, i64::from(seconds) - 1), seconds), 0);
        let length = end.as_second() - period_start(self.start, seconds).as_second();
        (end, u32::try_from(length / i64::from(seconds)).unwrap_or(u32::MAX))
    }

    /// How many periods the span is as long as. It may touch one more, which does not count against limits (unverified).
    fn length(&self, seconds: u32) -> u32 {
        let length = self.end.as_second() - self.start.as_second();
        u32::try_from(length / i64::from(seconds)).unwrap_or(u32::MAX)
    }

    /// Refuses a period that no metric has, and one that is too short for the time since the span's start (AWS:
    /// GetMetricStatistics, "Period").
    fn check_period(&self, now: CloudTime, seconds: u32) -> Result<(), ApiError> {
        if !is_period(seconds) && !matches!(seconds, 1 | 5) {
            let text = "for parameter Period is invalid: it is 1, 5, 10, 20, 30 or a multiple of 60";
            return Err(invalid_value(format!("The value {seconds} {text}.")));
        }
        let age = now.timestamp().as_second() - self.start.as_second();
        let (unit, since) = match age {
            ..=10_800 => return Ok(()),
            10_801..=1_296_000 => (60, "3 hours and 15 days"),
            1_296_001..=5_443_200 => (300, "15 and 63 days"),
            _ => (3600, "63 days or more"),
        };
        if seconds.is_multiple_of(unit) {
            return Ok(());
        }
        let text = format!("for a start time {since} ago the period must be a multiple of {unit}");
        Err(invalid_value(format!("The value {seconds} for parameter Period is invalid: {text}.")))
    }
}

/// Metrics that have had no values for so long are not listed (AWS: two weeks).
fn is_listed(newest: Timestamp, now: CloudTime, recently: bool) -> bool {
    let oldest = if recently { 3 * HOUR } else { 14 * DAY };
    newest.as_second() >= now.timestamp().as_second() - oldest
}
