//! When a scheduled action happens: `at(…)`, `rate(…)`, `cron(…)`.
//!
//! AWS: Application Auto Scaling user guide, "Scheduled scaling", and API reference, PutScheduledAction. Fields of cron are Quartz's:
//! one of the two day fields is `?`, days of the week count from 1 for Sunday. What daylight saving does to a schedule is not
//! documented: here a time that is skipped happens when the gap ends, and one that comes twice happens at the first (unverified).

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use crate::series::later;

/// When a scheduled action happens.
#[derive(Debug, Clone)]
pub enum Schedule {
    /// Once, in the action's time zone.
    At(DateTime),
    /// Every so many seconds.
    Rate(u32),
    /// Whenever the fields match, in the action's time zone.
    Cron(Box<Cron>),
}

/// Between which moments a schedule holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// When the action was made, or begins to hold.
    pub start: Timestamp,
    /// When it no longer holds.
    pub end: Option<Timestamp>,
}

/// Why a text is no schedule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It has none of the three forms.
    #[error("a schedule is at(yyyy-mm-ddThh:mm:ss), rate(value unit) or cron(fields)")]
    Form,
    /// The time of `at` cannot be read.
    #[error("at() takes a time such as 2026-12-01T08:00:00, without a zone")]
    At,
    /// The value or unit of `rate` is none.
    #[error(
        "rate() takes a value from 1 and minute, minutes, hour, hours, day or days: the plural unless the value is 1"
    )]
    Rate,
    /// `cron` has too few or too many fields.
    #[error("cron() takes six fields: minute, hour, day of month, month, day of week, year")]
    Fields,
    /// Neither or both of the day fields are `?`.
    #[error("exactly one of day of month and day of week is ?")]
    DayFields,
    /// A field does not follow the grammar.
    #[error("a field of cron() is not valid: {0}")]
    Field(String),
}

impl Schedule {
    /// Reads a schedule.
    ///
    /// # Errors
    /// Why AWS would refuse it.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let (form, rest) = text.split_once('(').ok_or(Refusal::Form)?;
        let inside = rest.strip_suffix(')').ok_or(Refusal::Form)?;
        match form {
            "at" => at(inside).map(Self::At),
            "rate" => rate(inside).map(Self::Rate),
            "cron" => cron(inside).map(|cron| Self::Cron(Box::new(cron))),
            _ => Err(Refusal::Form),
        }
    }

    /// The first time after `after` at which the action happens; `None`: never again.
    #[must_use]
    pub fn next(&self, zone: &TimeZone, span: Span, after: Timestamp) -> Option<Timestamp> {
        // What falls on the start still happens.
        let after = after.max(later(span.start, -1));
        let next = match self {
            Self::At(moment) => zone.to_timestamp(*moment).ok().filter(|moment| *moment > after),
            Self::Rate(seconds) => {
                let passed = after.as_second() - span.start.as_second();
                let periods = passed.div_euclid(i64::from(*seconds)) + 1;
                Some(later(span.start, periods * i64::from(*seconds)))
            }
            Self::Cron(cron) => {
                let after = Zoned::new(after, zone.clone());
                cron.find_next_occurrence(&after, false).ok().map(|next| next.timestamp())
            }
        };
        next.filter(|next| span.end.is_none_or(|end| *next <= end))
    }
}

fn at(inside: &str) -> Result<DateTime, Refusal> {
    const LENGTH: usize = "yyyy-mm-ddThh:mm:ss".len();
    if inside.len() != LENGTH {
        return Err(Refusal::At);
    }
    inside.parse().map_err(|_| Refusal::At)
}

fn rate(inside: &str) -> Result<u32, Refusal> {
    let (value, unit) = inside.split_once(' ').ok_or(Refusal::Rate)?;
    let value: u32 = value.parse().map_err(|_| Refusal::Rate)?;
    let seconds = match (unit, value) {
        ("minute", 1) | ("minutes", 2..) => 60,
        ("hour", 1) | ("hours", 2..) => 3_600,
        ("day", 1) | ("days", 2..) => 86_400,
        _ => return Err(Refusal::Rate),
    };
    value.checked_mul(seconds).ok_or(Refusal::Rate)
}

/// The least and the largest value of each field: minute, hour, day of month, month, day of week, year.
const RANGES: [(u32, u32); 6] = [(0, 59), (0, 23), (1, 31), (1, 12), (1, 7), (1970, 2199)];

fn cron(inside: &str) -> Result<Cron, Refusal> {
    let mut fields: Vec<&str> = inside.split_whitespace().collect();
    // AWS also takes a leading field of seconds, and is precise to the minute all the same.
    if fields.len() == RANGES.len() + 1 {
        fields.remove(0);
    }
    let fields: [&str; 6] = fields.try_into().map_err(|_| Refusal::Fields)?;
    let [_, _, day_of_month, _, day_of_week, _] = fields;
    if (day_of_month == "?") == (day_of_week == "?") {
        return Err(Refusal::DayFields);
    }
    if let Some(stray) =
        fields.iter().find(|field| field.contains(['+', '@']) || (field.contains('?') && **field != "?"))
    {
        return Err(Refusal::Field((*stray).to_owned()));
    }
    let written: Vec<String> = fields.iter().zip(RANGES).map(|(field, range)| in_ranges(field, range)).collect();
    let parser =
        CronParser::builder().seconds(Seconds::Required).year(Year::Required).alternative_weekdays(true).build();
    parser.parse(&format!("0 {}", written.join(" "))).map_err(|error| Refusal::Field(error.to_string()))
}

/// `0/5` means `0-59/5` to AWS; `6L`, the last Friday, is `6#L` to the library.
fn in_ranges(field: &str, (_, last): (u32, u32)) -> String {
    let one = |part: &str| match part.split_once('/') {
        Some((start, step)) if start != "*" && !start.contains('-') => format!("{start}-{last}/{step}"),
        _ => match part.strip_suffix('L').filter(|day| !day.is_empty() && last == 7 && !day.ends_with('#')) {
            Some(day) => format!("{day}#L"),
            None => part.to_owned(),
        },
    };
    field.split(',').map(one).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn moment(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// The next three times after the first moment of December 2026, a Tuesday.
    fn times(schedule: &str, zone: &str) -> Vec<String> {
        let schedule = Schedule::parse(schedule).unwrap();
        let start = moment("2026-12-01T00:00:00Z");
        let span = Span { start, end: Some(moment("2027-12-31T00:00:00Z")) };
        let zone = TimeZone::get(zone).unwrap();
        let next = |after: &Timestamp| schedule.next(&zone, span, *after);
        std::iter::successors(next(&start), next).take(3).map(|time| time.to_string()).collect()
    }

    #[test]
    fn schedules_and_when_they_happen() {
        let rows: [(&str, &str, &[&str]); 10] = [
            ("at(2026-12-24T18:00:00)", "UTC", &["2026-12-24T18:00:00Z"]),
            ("at(2026-12-24T18:00:00)", "Europe/Berlin", &["2026-12-24T17:00:00Z"]),
            ("at(2026-11-30T00:00:00)", "UTC", &[]),
            ("rate(1 hour)", "UTC", &["2026-12-01T01:00:00Z", "2026-12-01T02:00:00Z", "2026-12-01T03:00:00Z"]),
            ("rate(2 days)", "UTC", &["2026-12-03T00:00:00Z", "2026-12-05T00:00:00Z", "2026-12-07T00:00:00Z"]),
            ("cron(0/20 8 * * ? *)", "UTC", &["2026-12-01T08:00:00Z", "2026-12-01T08:20:00Z", "2026-12-01T08:40:00Z"]),
            (
                "cron(0 8 ? * MON-FRI *)",
                "America/New_York",
                &["2026-12-01T13:00:00Z", "2026-12-02T13:00:00Z", "2026-12-03T13:00:00Z"],
            ),
            ("cron(0 9 ? * 2 *)", "UTC", &["2026-12-07T09:00:00Z", "2026-12-14T09:00:00Z", "2026-12-21T09:00:00Z"]),
            ("cron(0 0 L * ? *)", "UTC", &["2026-12-31T00:00:00Z", "2027-01-31T00:00:00Z", "2027-02-28T00:00:00Z"]),
            (
                "cron(15 10 ? * 6L 2026-2027)",
                "UTC",
                &["2026-12-25T10:15:00Z", "2027-01-29T10:15:00Z", "2027-02-26T10:15:00Z"],
            ),
        ];
        for (schedule, zone, wanted) in rows {
            assert_eq!(times(schedule, zone), wanted, "{schedule} in {zone}");
        }
    }

    #[test]
    fn a_zone_follows_daylight_saving() {
        let schedule = Schedule::parse("cron(30 8 * * ? *)").unwrap();
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let span = Span { start: moment("2027-03-26T00:00:00Z"), end: None };
        let next = |after: &Timestamp| schedule.next(&zone, span, *after);
        let days: Vec<String> =
            std::iter::successors(next(&span.start), next).take(3).map(|time| time.to_string()).collect();
        assert_eq!(days, ["2027-03-26T07:30:00Z", "2027-03-27T07:30:00Z", "2027-03-28T06:30:00Z"]);
    }

    #[test]
    fn a_schedule_holds_only_within_its_span() {
        let schedule = Schedule::parse("rate(1 day)").unwrap();
        let span = Span { start: moment("2026-12-05T00:00:00Z"), end: Some(moment("2026-12-06T12:00:00Z")) };
        let next = |after: &str| schedule.next(&TimeZone::UTC, span, moment(after)).map(|time| time.to_string());
        assert_eq!(next("2026-12-01T00:00:00Z").as_deref(), Some("2026-12-05T00:00:00Z"));
        assert_eq!(next("2026-12-05T00:00:00Z").as_deref(), Some("2026-12-06T00:00:00Z"));
        assert_eq!(next("2026-12-06T00:00:00Z"), None);
    }

    #[test]
    fn what_aws_refuses_is_refused() {
        let rows = [
            ("every day", Refusal::Form),
            ("cron(* * * * ? *", Refusal::Form),
            ("at(2026-12-24 18:00)", Refusal::At),
            ("at(2026-12-24T18:00:00Z)", Refusal::At),
            ("at(2026-02-30T00:00:00)", Refusal::At),
            ("rate(1 minutes)", Refusal::Rate),
            ("rate(5 minute)", Refusal::Rate),
            ("rate(0 days)", Refusal::Rate),
            ("rate(99999999 days)", Refusal::Rate),
            ("cron(0 8 * * *)", Refusal::Fields),
            ("cron(0 8 * * * *)", Refusal::DayFields),
            ("cron(0 8 ? * ? *)", Refusal::DayFields),
        ];
        for (text, wanted) in rows {
            assert_eq!(Schedule::parse(text).unwrap_err(), wanted, "{text}");
        }
        for text in [
            "cron(60 8 * * ? *)",
            "cron(0 24 * * ? *)",
            "cron(0 8 * 13 ? *)",
            "cron(0 8 ? * 8 *)",
            "cron(a 8 * * ? *)",
            "cron(? 8 * * ? *)",
        ] {
            assert!(matches!(Schedule::parse(text), Err(Refusal::Field(_))), "{text}");
        }
    }
}
