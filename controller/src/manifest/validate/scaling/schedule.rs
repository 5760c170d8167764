//! The grammar of a schedule: `at(…)`, `rate(…)` and `cron(…)` (AWS: Application Auto Scaling PutScheduledAction).

use jiff::civil::DateTime;

use super::{cron, shorten};

/// What is wrong with a schedule, and what to do about it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) what: String,
    pub(super) remedy: String,
}

impl Fault {
    pub(super) fn new(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { what: what.into(), remedy: remedy.into() }
    }
}

/// What kind of schedule a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Once.
    At,
    /// Every so many minutes, hours or days.
    Rate,
    /// At every time that matches six fields.
    Cron,
}

pub(super) fn parse(text: &str) -> Result<Kind, Fault> {
    let (kind, inner) = split(text).ok_or_else(|| {
        let what = format!("`{}` is not a schedule", shorten(text));
        Fault::new(what, "write `at(2026-12-24T08:00:00)`, `rate(1 hour)` or `cron(0 8 ? * MON-FRI *)`")
    })?;
    match kind {
        Kind::At => at(inner)?,
        Kind::Rate => rate(inner)?,
        Kind::Cron => cron::check(inner)?,
    }
    Ok(kind)
}

fn split(text: &str) -> Option<(Kind, &str)> {
    let (kind, rest) = text.strip_suffix(')')?.split_once('(')?;
    let kind = match kind {
        "at" => Kind::At,
        "rate" => Kind::Rate,
        "cron" => Kind::Cron,
        _ => return None,
    };
    Some((kind, rest))
}

fn at(text: &str) -> Result<(), Fault> {
    let found = || format!("`{}` is not a date with its time", shorten(text));
    let remedy =
        "write `at(yyyy-mm-ddThh:mm:ss)`, such as `at(2026-12-24T08:00:00)`, and name the zone with `timezone`";
    date_and_time(text).map(|_| ()).ok_or_else(|| Fault::new(found(), remedy))
}

/// `yyyy-mm-ddThh:mm:ss` and nothing else.
pub(super) fn date_and_time(text: &str) -> Option<DateTime> {
    const FORM: &[u8] = b"dddd-dd-ddTdd:dd:dd";
    let fits = |(byte, form): (u8, &u8)| if *form == b'd' { byte.is_ascii_digit() } else { byte == *form };
    if text.len() != FORM.len() || !text.bytes().zip(FORM).all(fits) {
        return None;
    }
    text.parse().ok()
}

/// AWS documents the units in both numbers; that it asks for the fitting one, as EventBridge does, is unverified.
fn rate(text: &str) -> Result<(), Fault> {
    let words: Vec<&str> = text.split(' ').collect();
    let [number, unit] = words.as_slice() else {
        let what = format!("`{}` is not a number and a unit", shorten(text));
        return Err(Fault::new(what, "write `rate(10 minutes)`, `rate(1 hour)` or `rate(2 days)`"));
    };
    let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let Some(count) = number.parse::<u32>().ok().filter(|count| digits && *count > 0) else {
        return Err(Fault::new(format!("`{}` is not a whole number above 0", shorten(number)), "write `rate(1 hour)`"));
    };
    let singular = unit.strip_suffix('s').unwrap_or(unit);
    if !["minute", "hour", "day"].contains(&singular) {
        let remedy = "use minute, minutes, hour, hours, day or days";
        return Err(Fault::new(format!("`{}` is not a unit of a rate", shorten(unit)), remedy));
    }
    let expected = if count == 1 { singular.to_owned() } else { format!("{singular}s") };
    if expected != *unit {
        return Err(Fault::new(
            format!("{count} does not go with `{unit}`"),
            format!("write `rate({count} {expected})`"),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_that_aws_takes() {
        for (text, kind) in [
            ("at(2026-12-24T08:00:00)", Kind::At),
            ("at(2024-02-29T23:59:59)", Kind::At),
            ("rate(1 minute)", Kind::Rate),
            ("rate(90 minutes)", Kind::Rate),
            ("rate(1 day)", Kind::Rate),
            ("cron(0 8 ? * MON-FRI *)", Kind::Cron),
        ] {
            assert_eq!(parse(text), Ok(kind), "{text}");
        }
    }

    #[test]
    fn schedules_that_it_does_not() {
        for (text, expected) in [
            ("", "not a schedule"),
            ("0 8 ? * MON-FRI *", "not a schedule"),
            ("CRON(0 8 ? * * *)", "not a schedule"),
            ("cron(0 8 ? * * *", "not a schedule"),
            ("at(2026-12-24)", "not a date"),
            ("at(2026-12-24 08:00:00)", "not a date"),
            ("at(2026-12-24T08:00:00Z)", "not a date"),
            ("at(2026-02-29T08:00:00)", "not a date"),
            ("at(2026-12-24T24:00:00)", "not a date"),
            ("rate(1)", "not a number and a unit"),
            ("rate(0 hours)", "not a whole number"),
            ("rate(1.5 hours)", "not a whole number"),
            ("rate(+1 hour)", "not a whole number"),
            ("rate(1 hours)", "does not go with"),
            ("rate(5 minute)", "does not go with"),
            ("rate(5 weeks)", "not a unit"),
        ] {
            let fault = parse(text).expect_err(text);
            assert!(fault.what.contains(expected), "{text}: {fault:?}");
        }
    }
}
