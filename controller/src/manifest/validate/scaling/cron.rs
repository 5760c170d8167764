//! The six fields of a cron schedule (AWS: cron expressions reference of EventBridge, to which Auto Scaling refers).
//!
//! The crate that reads cron expressions takes more than AWS does and reads some of it otherwise, so what AWS takes is
//! decided here, and the crate is asked only whether such a time ever comes.

use croner::Cron;
use croner::errors::CronError;
use croner::parser::{CronParser, Seconds, Year};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::schedule::Fault;
use super::shorten;

struct Field {
    /// With its article.
    noun: &'static str,
    lowest: u16,
    highest: u16,
    /// Words for the numbers from `lowest` on.
    words: &'static [&'static str],
    /// Whether `/` may follow.
    increments: bool,
    /// What else may stand alone in this field.
    special: fn(&str) -> bool,
}

const FIELDS: [Field; 6] = [
    Field { noun: "a minute", lowest: 0, highest: 59, words: &[], increments: true, special: |_| false },
    Field { noun: "an hour", lowest: 0, highest: 23, words: &[], increments: true, special: |_| false },
    Field { noun: "a day of month", lowest: 1, highest: 31, words: &[], increments: true, special: special_day },
    Field { noun: "a month", lowest: 1, highest: 12, words: &MONTHS, increments: true, special: |_| false },
    Field {
        noun: "a day of week",
        lowest: 1,
        highest: 7,
        words: &WEEKDAYS,
        increments: false,
        special: special_weekday,
    },
    Field { noun: "a year", lowest: 1970, highest: 2199, words: &[], increments: true, special: |_| false },
];
const MONTHS: [&str; 12] = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
/// AWS counts from Sunday = 1.
const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// `text` is what stands between `cron(` and `)`.
pub(super) fn check(text: &str) -> Result<(), Fault> {
    let fields: Vec<&str> = text.split_ascii_whitespace().collect();
    let [_, _, day, _, weekday, _] = fields.as_slice() else {
        return Err(wrong_count(fields.len()));
    };
    match (*day == "?", *weekday == "?") {
        (true, false) | (false, true) => {}
        (false, false) => {
            let what = "day of month and day of week are both given";
            return Err(Fault::new(
                what,
                "write `?` for the one that does not matter, such as `cron(0 8 ? * MON-FRI *)`",
            ));
        }
        (true, true) => {
            let what = "neither day of month nor day of week is given";
            return Err(Fault::new(what, "write `*` for one of the two `?`: every day"));
        }
    }
    for (position, (field, text)) in FIELDS.iter().zip(&fields).enumerate() {
        let either_day = position == 2 || position == 4;
        if !(either_day && *text == "?") {
            field.check(text)?;
        }
    }
    if never_comes(&fields) { Err(never()) } else { Ok(()) }
}

fn wrong_count(count: usize) -> Fault {
    let what = format!("AWS's cron has six fields, this one has {count}");
    let remedy = match count {
        5 => "add the year at the end, usually `*`, and write `?` for one of the two days; Sunday is 1",
        7 => "remove the seconds at the start: actions begin to the minute",
        _ => "write minute, hour, day of month, month, day of week and year, such as `cron(0 8 ? * MON-FRI *)`",
    };
    Fault::new(what, remedy)
}

fn never() -> Fault {
    Fault::new("no such day ever comes", "compare the day of month with the months, and the year")
}

impl Field {
    fn check(&self, text: &str) -> Result<(), Fault> {
        // In a list `*` would make the rest of it mean nothing.
        let list = !(text.contains(',') && text.contains('*')) && text.split(',').all(|item| self.item(item));
        if list || (self.special)(text) {
            return Ok(());
        }
        let words = match (self.words.first(), self.words.last()) {
            (Some(first), Some(last)) => format!(" or {first} to {last}"),
            _ => String::new(),
        };
        let slash = if self.increments { " and `/`" } else { "" };
        let what = format!("`{}` is not {} of a cron schedule", shorten(text), self.noun);
        let remedy = format!("use {} to {}{words}, with `*`, `,`, `-`{slash}", self.lowest, self.highest);
        Err(Fault::new(what, remedy))
    }

    /// `*`, `8`, `8-17`, each also with `/2`.
    fn item(&self, text: &str) -> bool {
        let (base, increment) = match text.split_once('/') {
            Some((base, increment)) if self.increments => (base, Some(increment)),
            Some(_) => return false,
            None => (text, None),
        };
        let step = |text: &str| number(text).is_some_and(|step| (1..=self.highest).contains(&step));
        let range = match base.split_once('-') {
            Some((from, to)) => matches!((self.value(from), self.value(to)), (Some(from), Some(to)) if from <= to),
            None => base == "*" || self.value(base).is_some(),
        };
        range && increment.is_none_or(step)
    }

    fn value(&self, text: &str) -> Option<u16> {
        let word = self.words.iter().position(|word| word.eq_ignore_ascii_case(text));
        let value = match word {
            Some(position) => self.lowest + u16::try_from(position).ok()?,
            None => number(text)?,
        };
        (self.lowest..=self.highest).contains(&value).then_some(value)
    }
}

fn number(text: &str) -> Option<u16> {
    let digits = !text.is_empty() && text.len() <= 4 && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}

/// The last day, the last working day, or the working day nearest to one.
fn special_day(text: &str) -> bool {
    let nearest = text.strip_suffix('W').and_then(number).is_some_and(|day| (1..=31).contains(&day));
    text == "L" || text == "LW" || nearest
}

/// The last day of the week, the last such day of the month (`6L`), or one by its count (`6#3`).
fn special_weekday(text: &str) -> bool {
    let weekday = |text: &str| FIELDS[4].value(text).is_some();
    let counted =
        |(day, count): (&str, &str)| weekday(day) && number(count).is_some_and(|count| (1..=5).contains(&count));
    text == "L" || text.strip_suffix('L').is_some_and(weekday) || text.split_once('#').is_some_and(counted)
}

/// Whether the fields, good in themselves, name a day that no calendar has, such as 31 April.
fn never_comes(fields: &[&str]) -> bool {
    let start = Timestamp::UNIX_EPOCH.to_zoned(TimeZone::UTC);
    let search = |cron: Cron| cron.find_next_occurrence(&start, true);
    matches!(read(fields).and_then(search), Err(CronError::TimeSearchLimitExceeded))
}

fn read(fields: &[&str]) -> Result<Cron, CronError> {
    // A lone `L` is Saturday to AWS, and `6L` the last Friday, which the crate writes `6#L`.
    let weekday = |text: &str| match text.strip_suffix('L') {
        Some("") => "7".to_owned(),
        Some(day) => format!("{day}#L"),
        None => text.to_owned(),
    };
    let word = |(position, text): (usize, &&str)| if position == 4 { weekday(text) } else { (*text).to_owned() };
    let text: Vec<String> = fields.iter().enumerate().map(word).collect();
    let parser = CronParser::builder()
        .seconds(Seconds::Required)
        .year(Year::Required)
        .alternative_weekdays(true)
        .sloppy_ranges(true)
        .build();
    parser.parse(&format!("0 {}", text.join(" ")))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Near to a field, good and bad.
    fn field() -> impl Strategy<Value = String> {
        let item = r"(\*|[0-9]{1,2}|[1-3][0-9]?-[3-5][0-9]?|MON|FRI|JAN|MON-FRI)(/[0-9]{1,2})?";
        let list = proptest::collection::vec(item, 1..3).prop_map(|items| items.join(","));
        prop_oneof![6 => list, 3 => Just("*".to_owned()), 2 => Just("?".to_owned()), 1 => "[0-9]?[LW]|[0-8]#[0-6]"]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]

        /// What AWS takes is never taken for a day that does not come because the crate cannot read it.
        #[test]
        fn the_crate_reads_what_aws_takes(fields in proptest::collection::vec(field(), 5)) {
            let text = format!("{} *", fields.join(" "));
            if check(&text).is_ok() {
                let fields: Vec<&str> = text.split(' ').collect();
                prop_assert!(read(&fields).is_ok(), "{text}");
            }
        }
    }

    #[test]
    fn fields_that_aws_takes() {
        for text in [
            "0 10 * * ? *",
            "15 12 ? * * *",
            "0/15 * * * ? *",
            "*/5 8-17 ? * MON-FRI *",
            "0,30 6 1,15 jan-mar,Dec ? 2026-2030",
            "0 8 L * ? *",
            "0 8 LW * ? *",
            "0 8 3W * ? *",
            "0 8 ? * L *",
            "0 8 ? * 6L *",
            "0 8 ? * FRI#3 *",
            "0 8 ? * 1 2026/2",
            "0 0 29 2 ? *",
            "59 23 31 12 ? 2199",
        ] {
            assert_eq!(check(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn fields_that_it_does_not() {
        for (text, expected) in [
            ("", "has 0"),
            ("0 8 * * MON", "has 5"),
            ("0 0 8 ? * MON *", "has 7"),
            ("0 8 * * * *", "both given"),
            ("0 8 1 * MON *", "both given"),
            ("0 8 ? * ? *", "neither"),
            ("60 8 * * ? *", "not a minute"),
            ("? 8 * * ? *", "not a minute"),
            ("-1 8 * * ? *", "not a minute"),
            ("0/0 8 * * ? *", "not a minute"),
            ("/5 8 * * ? *", "not a minute"),
            ("0 24 * * ? *", "not an hour"),
            ("0 22-2 * * ? *", "not an hour"),
            ("0 8, * * ? *", "not an hour"),
            ("0 8,* * * ? *", "not an hour"),
            ("0 8 0 * ? *", "not a day of month"),
            ("0 8 L-3 * ? *", "not a day of month"),
            ("0 8 32W * ? *", "not a day of month"),
            ("0 8 * 13 ? *", "not a month"),
            ("0 8 * JANUARY ? *", "not a month"),
            ("0 8 ? * 0 *", "not a day of week"),
            ("0 8 ? * MON/2 *", "not a day of week"),
            ("0 8 ? * 3#6 *", "not a day of week"),
            ("0 8 ? * 3#1,6#3 *", "not a day of week"),
            ("0 8 ? * +MON *", "not a day of week"),
            ("0 8 * * ? 1969", "not a year"),
            ("0 8 * * ? 2200", "not a year"),
            ("0 8 31 4,6 ? *", "no such day"),
            ("0 8 29 2 ? 2027", "no such day"),
            ("@daily", "has 1"),
        ] {
            let fault = check(text).expect_err(text);
            assert!(fault.what.contains(expected), "{text}: {fault:?}");
        }
    }
}
